import type { BigQuery } from "@google-cloud/bigquery";
import { minimumActors } from "@proveniq/contracts/warehouse";
import {
  analyticsReport,
  asRecords,
  createWarehouse,
  openWarehouse,
  publishWarehouse,
  queryWarehouse,
} from "@proveniq/control-plane/analytics";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type LocalWarehouse, startWarehouse } from "./index.ts";

const project = "proveniq-central";
let warehouse: LocalWarehouse;
let bigquery: BigQuery;

beforeEach(async () => {
  warehouse = await startWarehouse();
  bigquery = openWarehouse({ project, endpoint: warehouse.restUrl });
  await createWarehouse(bigquery, project, { eu: "europe-west1", us: "us-central1", global: "us-central1" });
});
afterEach(() => warehouse.stop());

const records = async (sql: string) => asRecords(await queryWarehouse(bigquery, sql));

/** Somebody's change, as the anonymiser would tell it. Letters stand for people and tenants. */
interface Change {
  day: string;
  cell?: string;
  person: string;
  /** None: the cell's own consumers. */
  tenant?: string;
  category?: string;
  items?: number;
}

let serial = 0;
const name = (...parts: string[]) =>
  parts
    .join("")
    .replaceAll(/[^A-Za-z0-9]/g, "_")
    .padEnd(22, "_")
    .slice(0, 22);

async function send(dataset: string, changes: readonly Change[]): Promise<void> {
  const region = dataset === "raw_eu" ? "europe-west1" : "us-central1";
  const events: object[] = [];
  const marks = new Map<string, Record<string, unknown> & { weight: number }>();
  for (const { day, cell = "aa", person, tenant, category = "art", items = 1 } of changes) {
    const place = { day, cell, region };
    const group = { category, price_bucket: "200-500", currency: "EUR" };
    events.push({
      row_id: String(++serial).padStart(22, "r"),
      ...place,
      type: "created",
      channel: "api",
      ...group,
      events: 1,
      items_delta: items,
      market_delta: 0,
    });
    const at = `${day}${cell}${category}`;
    const mark = { ...place, ...group };
    marks.set(`${at}/p/${tenant}/${person}`, {
      ...mark,
      kind: "actor",
      mark: name(person, tenant ?? "", at),
      weight: 1,
    });
    if (tenant === undefined) continue;
    const rows = (marks.get(`${at}/t/${tenant}`)?.weight ?? 0) + 1;
    marks.set(`${at}/t/${tenant}`, { ...mark, kind: "tenant", mark: name("T", tenant, at), weight: rows });
  }
  await bigquery.dataset(dataset).table("events").insert(events);
  await bigquery
    .dataset(dataset)
    .table("marks")
    .insert([...marks.values()]);
}

async function heard(dataset: string, cell: string, at: string, lag = 0): Promise<void> {
  const region = dataset === "raw_eu" ? "europe-west1" : "us-central1";
  await bigquery
    .dataset(dataset)
    .table("heartbeats")
    .insert([{ day: at.slice(0, 10), cell, region, seen_at: at, lag_minutes: lag }]);
}

const people = (count: number, more: Omit<Change, "person">): Change[] =>
  Array.from({ length: count }, (_, n) => ({ ...more, person: `p${n}` }));
const flow = (dataset = "raw_eu") =>
  records(`SELECT day, category, actors, items_in FROM ${dataset}.publishable_flow ORDER BY day, category`);

test("a group is shown from one more than the minimum of people, however many changes they make", async () => {
  const day = "2026-11-20";
  await send("raw_eu", people(minimumActors + 1, { day, category: "art" }));
  await send("raw_eu", people(minimumActors, { day, category: "watch" }));
  await send(
    "raw_eu",
    Array.from({ length: 200 }, () => ({ day, category: "wine", person: "one" })),
  );
  expect(await flow()).toEqual([{ day, category: "art", actors: 20, items_in: 21 }]);
});

test("people are counted by the largest cell alone: one person in two cells is not two", async () => {
  const day = "2026-11-20";
  await send("raw_eu", people(15, { day, cell: "aa" }));
  await send("raw_eu", people(15, { day, cell: "bb" }));
  expect(await flow()).toEqual([]);
  await send("raw_eu", people(21, { day, cell: "cc" }));
  expect(await flow()).toEqual([{ day, category: "art", actors: 20, items_in: 51 }]);
});

test("a group that is mostly one tenant's is withheld; consumers are nobody's book", async () => {
  const day = "2026-11-20";
  await send("raw_eu", [...people(30, { day, tenant: "a" }), ...people(9, { day, tenant: "b" })]);
  await send("raw_eu", [
    ...people(30, { day, tenant: "a", category: "watch" }),
    ...people(10, { day, tenant: "b", category: "watch" }),
  ]);
  await send("raw_eu", people(30, { day, category: "wine" }));
  expect((await flow()).map((r) => r["category"])).toEqual(["watch", "wine"]);
});

test("a small day is held back and added to the next large one; a dominated day is never added", async () => {
  await send("raw_eu", people(5, { day: "2026-11-18" }));
  await send("raw_eu", people(30, { day: "2026-11-19", tenant: "a" }));
  await send("raw_eu", people(25, { day: "2026-11-20" }));
  await send("raw_eu", people(3, { day: "2026-11-21" }));
  expect(await flow()).toEqual([{ day: "2026-11-20", category: "art", actors: 20, items_in: 30 }]);
});

test("rows that were sent twice count once", async () => {
  const day = "2026-11-20";
  await send("raw_eu", people(25, { day }));
  const [rows] = await bigquery.dataset("raw_eu").table("events").getRows();
  await bigquery
    .dataset("raw_eu")
    .table("events")
    .insert(rows.map((r) => ({ ...r, day })));
  expect(await flow()).toEqual([{ day, category: "art", actors: 20, items_in: 25 }]);
});

test("random crowds: whoever is taken out of a shown group, enough people remain, and no tenant prevails", async () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const days = ["2026-11-18", "2026-11-19", "2026-11-20"];
  const categories = ["art", "watch", "wine", "vehicle", "antique"];
  const changes = Array.from({ length: 3_000 }, (): Change => {
    const tenant = ["", "a", "b", "c"][random(4)] ?? "";
    const category = categories[Math.min(random(5), random(5))] ?? "art";
    return {
      day: days[random(3)] ?? "",
      category,
      person: `p${random(category === "antique" ? 6 : 24)}`,
      ...(tenant === "" ? {} : { tenant }),
    };
  });
  await send("raw_eu", changes);
  const shown = await flow();
  expect(shown.length).toBeGreaterThan(5);
  for (const group of shown) {
    const members = changes.filter((c) => c.day === group["day"] && c.category === group["category"]);
    const persons = new Set(members.map((m) => `${m.tenant}/${m.person}`));
    expect(persons.size - 1).toBeGreaterThanOrEqual(minimumActors);
    for (const tenant of ["a", "b", "c"]) {
      expect(members.filter((m) => m.tenant === tenant).length / members.length).toBeLessThanOrEqual(0.75);
    }
  }
  const hidden = categories
    .flatMap((category) => days.map((day) => `${day}/${category}`))
    .filter((g) => !shown.some((s) => `${s["day"]}/${s["category"]}` === g));
  expect(hidden.length).toBeGreaterThan(0);
});

test("a day crosses once, when it is over and every cell has sent all of it", async () => {
  await send("raw_eu", people(25, { day: "2026-11-20" }));
  await send("raw_global", people(30, { day: "2026-11-20", cell: "gg" }));
  const now = new Date("2026-11-21T02:00:00.000Z");
  await heard("raw_eu", "aa", "2026-11-21T01:00:00.000Z");
  await heard("raw_global", "gg", "2026-11-21T01:00:00.000Z", 90);
  expect(await publishWarehouse(bigquery, project, { now })).toEqual({ days: [], groups: 0 });
  await heard("raw_global", "gg", "2026-11-21T01:10:00.000Z");
  expect(await publishWarehouse(bigquery, project, { now })).toEqual({ days: ["2026-11-20"], groups: 2 });
  await send("raw_eu", people(5, { day: "2026-11-20" }));
  expect(await publishWarehouse(bigquery, project, { now })).toEqual({ days: [], groups: 0 });
  const stock = await records("SELECT region, items, value FROM published.stock ORDER BY region");
  expect(stock).toEqual([
    { region: "europe-west1", items: 25, value: 25 * 327 },
    { region: "us-central1", items: 30, value: 30 * 327 },
  ]);
});

test("a cell that is silent for two days is not waited for any longer", async () => {
  await send("raw_eu", people(25, { day: "2026-11-20" }));
  await heard("raw_eu", "aa", "2026-11-20T10:00:00.000Z");
  const at = (now: string) => publishWarehouse(bigquery, project, { now: new Date(now) });
  expect((await at("2026-11-22T23:00:00.000Z")).days).toEqual([]);
  expect((await at("2026-11-23T00:30:00.000Z")).days).toEqual(["2026-11-20"]);
});

test("the report shows stock, flow, coverage, imports and cells; a cell of one tenant is withheld", async () => {
  const day = "2026-11-20";
  await send("raw_eu", people(25, { day, cell: "aa" }));
  await send("raw_eu", people(25, { day, cell: "bb", tenant: "a", category: "wine" }));
  await heard("raw_eu", "aa", "2026-11-20T10:00:00.000Z");
  await heard("raw_eu", "bb", "2026-11-20T10:00:00.000Z", 3);
  await publishWarehouse(bigquery, project, { now: new Date(`${day}T11:00:00.000Z`), openDay: true });
  const report = await analyticsReport(bigquery, project);
  expect(report.stock).toEqual([
    { region: "europe-west1", category: "art", currency: "EUR", items: 25, value: 25 * 327, price_groups: 1 },
  ]);
  expect(report.flow).toEqual([{ day, region: "europe-west1", items_in: 25, items_out: 0, changes: 25 }]);
  expect(report.coverage).toEqual([
    { region: "europe-west1", category: "art", items: 25, covered_percent: 0 },
  ]);
  expect(report.imports).toEqual([{ region: "europe-west1", import_events: 0, changes: 25 }]);
  expect(report.cells.map((c) => [c["cell"], c["events_band"], c["lag_minutes"]])).toEqual([
    ["aa", "under 100", 0],
    ["bb", "withheld", 3],
  ]);
});
