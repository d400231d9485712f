import { readFileSync } from "node:fs";
import { item } from "@proveniq/contracts";
import { indexDefinitions } from "@proveniq/db/queries";
import { type Billed, type BillingProxy, startBillingProxy } from "@proveniq/local-cloud/billing";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type EmulatedCell, emulatedCell } from "../../apps/cell-api/src/testing/emulated-cell.ts";
import { ImportDesk } from "../../apps/cell-api/src/testing/imports.ts";

const file = new URL("../../infra/firestore.indexes.json", import.meta.url);
const definitions = indexDefinitions.parse(JSON.parse(readFileSync(file, "utf8")));
let proxy: BillingProxy;
let api: EmulatedCell;
let bulk: EmulatedCell;
beforeAll(async () => {
  const production = { definitionsOf: () => definitions };
  proxy = await startBillingProxy(inject("firestoreHost"), { production });
  api = await emulatedCell(proxy.host, ["carrier-a"]);
  bulk = await emulatedCell(proxy.host, ["carrier-a"], { manifest: api.config.manifest, service: "bulk" });
  await api.call("GET", "/v1/items?limit=1");
});
afterAll(async () => {
  await Promise.all([api.close(), bulk.close()]);
  await proxy.close();
});

async function costOf(work: () => Promise<unknown>) {
  proxy.reset();
  await work();
  return proxy.billed();
}

const create = (title: string) =>
  api.call("POST", "/v1/items", { body: { title, category: "art" } }).then((answer) => {
    expect(answer.status).toBe(201);
    return { path: `/v1/items/${item.parse(answer.body).id}`, etag: answer.headers.get("etag") ?? "" };
  });

/** What is billed for one call in a cell that is warm. A budget that is raised wants a reason in the commit. */
test("each operation on one item costs what its budget says", async () => {
  const thing = await create("warm-up");
  const headers = { "if-match": thing.etag, "content-type": "application/merge-patch+json" };
  const patch = () => api.call("PATCH", thing.path, { body: { title: "two" }, headers });
  expect({
    create: await costOf(() => create("one")),
    read: await costOf(() => api.call("GET", thing.path)),
    patch: await costOf(async () => expect((await patch()).status).toBe(200)),
    listOfOne: await costOf(() => api.call("GET", "/v1/items?limit=1")),
  }).toEqual(budgets);
});

test("a row of an import costs what its budget says, new and unchanged", async () => {
  const desk = new ImportDesk(bulk, "carrier-a");
  const rows = 400;
  const chunk = Array.from({ length: rows }, (_, n) => `e${n},Thing ${n},1.50,\n`).join("");
  const whole = () => desk.whole([chunk]);
  const [fresh, unchanged] = [await costOf(whole), await costOf(whole)];
  const each = ({ reads, writes }: Billed) => ({ reads: reads / rows, writes: writes / rows });
  for (const [spent, budget] of [
    [each(fresh), rowBudgets.fresh],
    [each(unchanged), rowBudgets.unchanged],
  ] as const) {
    expect(spent.reads).toBeLessThanOrEqual(budget.reads);
    expect(spent.writes).toBeLessThanOrEqual(budget.writes);
  }
});

const budgets = {
  create: { reads: 1, writes: 3, deletes: 0 },
  read: { reads: 1, writes: 0, deletes: 0 },
  patch: { reads: 2, writes: 3, deletes: 0 },
  listOfOne: { reads: 2, writes: 0, deletes: 0 },
};

/** For a row of a part of a book, in a file so small that what an import costs by itself still shows. */
const rowBudgets = {
  fresh: { reads: 1.4, writes: 1.15 },
  unchanged: { reads: 1.25, writes: 0.1 },
};
