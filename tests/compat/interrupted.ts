import { countOutbox, readSinkState } from "@proveniq/db/outbox/operations";
import { z } from "zod";
import type { Desk } from "./callers.ts";
import type { Cell } from "./cell.ts";
import { complete, csvInput, lines, type OpenImport, putChunk } from "./life.ts";
import { databases, type Scene, until } from "./scene.ts";

const caller = "harbour";

async function begin(desk: Desk, input: object): Promise<string> {
  const headers = { "content-type": "application/json" };
  const call = { method: "POST", path: "/v1/imports", headers, body: JSON.stringify(input) };
  return z.object({ id: z.string() }).parse(JSON.parse((await desk.must(caller, call, 201)).text)).id;
}

/** Kill a cell's bulk service while it writes an import. It runs again afterwards; the import waits for whoever goes on. */
export async function breakOffWriting(
  scene: Scene,
  cell: Cell,
  desk: Desk,
  tag: string,
): Promise<OpenImport> {
  const rows = 60;
  const chunk = { n: 1, firstRow: 1, type: "text/csv", text: lines(`${tag}-b`, 1, rows) };
  await cell.end("bulk");
  // With small pages, at the pace of the manifest, there is time between two.
  const slow = { IMPORT_PACE: "manifest", IMPORT_LIMITS: JSON.stringify({ pageRows: 5, inFlight: 1 }) };
  await cell.start(["bulk"], slow);
  const id = await begin(desk, csvInput(`broken-${tag}`));
  const half = {
    caller,
    id,
    chunks: [chunk],
    complete: { chunks: 1, rows },
    counts: { rows, created: rows },
  };
  const db = await scene.pool.open(databases.books);
  const pages = db.collection(`tenants/${desk.tenantOf(caller)}/imports/${id}/pages`);
  const ending = complete(desk, half).then(
    () => "answered",
    () => "broken off",
  );
  const done = await until("a page", async () => (await pages.get()).size || false);
  await cell.end("bulk");
  if (done * 5 >= rows || (await ending) !== "broken off")
    throw new Error("the import was done before its process was killed");
  await cell.start(["bulk"]);
  return half;
}

/** Kill a cell's bulk service while it deletes what a full import does not name. It runs again afterwards. */
export async function breakOffEnd(scene: Scene, cell: Cell, desk: Desk, tag: string): Promise<OpenImport> {
  const source = csvInput(`ending-${tag}`, { scope: "full", maxDeletePercent: 100 });
  const chunk = (to: number) => ({ n: 1, firstRow: 1, type: "text/csv", text: lines(`${tag}-e`, 1, to) });
  const whole = { caller, id: await begin(desk, source), complete: { chunks: 1, rows: 9 } };
  await complete(desk, { ...whole, chunks: [chunk(9)], counts: {} });
  const id = await begin(desk, source);
  await putChunk(desk, caller, id, chunk(5), 200);
  const half = {
    caller,
    id,
    chunks: [chunk(5)],
    complete: { chunks: 1, rows: 5 },
    counts: { unchanged: 5, deleted: 4 },
  };

  const db = await scene.pool.open(databases.books);
  const tenant = db.doc(`tenants/${desk.tenantOf(caller)}`);
  const { docs: items } = await tenant.collection("items").get();
  const docs = items.filter((doc) => String(doc.get("body")).includes(`"${tag}-e-9"`));
  if (docs.length !== 1) throw new Error("the row that is gone has no item to be held");
  // What it would delete is held by another transaction until it is dead.
  await db.runTransaction(async (tx) => {
    for (const { ref } of docs) await tx.get(ref);
    const ending = complete(desk, half).catch(() => undefined);
    const job = tenant.collection("imports").doc(id);
    await until("the import's end", async () => (await job.get()).get("state") === "finishing");
    await cell.end("bulk");
    await ending;
  });
  await cell.start(["bulk"]);
  return half;
}

/** The outboxes of both databases: how many events wait, and what their sinks say. */
export async function outboxes(scene: Scene) {
  return Promise.all(
    Object.values(databases).map(async (id) => {
      const db = await scene.pool.open(id);
      return {
        db: id,
        ...(await countOutbox(db)),
        sink: await readSinkState(db, `${scene.manifest.project}/${id}`),
      };
    }),
  );
}

/** Wait until a cell's sink has carried everything away. */
export async function carried(scene: Scene, cell: Cell): Promise<void> {
  const otherwise = () => cell.said("sink");
  await until(
    "an empty outbox",
    async () => (await outboxes(scene)).every(({ pages, sink }) => pages === 0 && sink.plan === null),
    { otherwise },
  );
}

/**
 * Kill a cell's sink, which has carried everything, after it has planned the delivery of what `write` writes and before any
 * of it arrived.
 */
export async function breakOffDelivery(
  scene: Scene,
  cell: Cell,
  write: () => Promise<unknown>,
): Promise<void> {
  await scene.warehouse.stop();
  await write();
  const planned = async () =>
    (await outboxes(scene)).some(({ db, sink }) => db === databases.books && sink.plan !== null);
  await until("a plan", planned, { otherwise: () => cell.said("sink") });
  await cell.end("sink");
  await scene.warehouse.start();
}
