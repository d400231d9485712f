import type { BigQuery } from "@google-cloud/bigquery";
import { publishedError } from "@proveniq/contracts/warehouse";
import {
  analyticsReport,
  asRecords,
  publishWarehouse,
  queryWarehouse,
} from "@proveniq/control-plane/analytics";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { LocalWarehouse } from "./index.ts";
import { heard, openScene, people, project, send } from "./testing.ts";

let warehouse: LocalWarehouse;
let bigquery: BigQuery;
beforeEach(async () => {
  ({ warehouse, bigquery } = await openScene());
});
afterEach(() => warehouse.stop());

const records = async (sql: string) => asRecords(await queryWarehouse(bigquery, sql));
const publishAt = (now: string) => publishWarehouse(bigquery, project, { now: new Date(now) });
/** Far outside of what noise does: one draw in a hundred million is further off. */
const near = (value: unknown, wanted: number) =>
  expect(Math.abs(Number(value) - wanted), `${String(value)} for ${wanted}`).toBeLessThan(65);

test("one row for each person and day, however often it was sent; left are those without the largest tenant", async () => {
  const day = "2026-11-20";
  const sent = [
    ...people(30, { day, tenant: "a" }),
    ...people(9, { day, tenant: "b" }),
    ...people(5, { day }),
  ];
  await send(bigquery, "raw_eu", sent);
  await send(bigquery, "raw_eu", sent);
  await send(bigquery, "raw_eu", people(2, { day, tenant: "a", category: "watch" }));
  const rows = await records(
    "SELECT category, COUNT(*) AS people, SUM(beside) AS beside FROM raw_eu.publishable_people GROUP BY category",
  );
  expect(rows).toEqual([{ category: "art", people: 44, beside: 14 }]);
});

test("a tenant that moved between two cells is not two", async () => {
  const day = "2026-11-20";
  await send(bigquery, "raw_eu", people(30, { day, cell: "aa", tenant: "a" }));
  await send(bigquery, "raw_eu", people(30, { day, cell: "bb", tenant: "a" }));
  expect(await records("SELECT SUM(beside) AS beside FROM raw_eu.publishable_people")).toEqual([
    { beside: 0 },
  ]);
});

test("a day crosses once, when it is over and every cell has sent all of it, and stays as it is", async () => {
  await send(bigquery, "raw_eu", people(400, { day: "2026-11-20" }));
  await send(bigquery, "raw_global", people(500, { day: "2026-11-20", cell: "gg" }));
  await heard(bigquery, "raw_eu", "aa", "2026-11-21T01:00:00.000Z");
  await heard(bigquery, "raw_global", "gg", "2026-11-21T01:00:00.000Z", 90);
  const now = "2026-11-21T02:00:00.000Z";
  expect((await publishAt(now)).days).not.toContain("2026-11-20");
  await heard(bigquery, "raw_global", "gg", "2026-11-21T01:10:00.000Z");
  expect(await publishAt(now)).toEqual({ days: ["2026-11-20"], groups: 2 });
  const before = await records("SELECT * FROM published.flow");
  await send(bigquery, "raw_eu", people(300, { day: "2026-11-20" }, "late"));
  expect(await publishAt(now)).toEqual({ days: [], groups: 0 });
  expect(await records("SELECT * FROM published.flow")).toEqual(before);
  const [eu, us] = await records("SELECT region, items, value FROM published.stock ORDER BY region");
  near(eu?.["items"], 400);
  near(us?.["items"], 500);
  expect(eu?.["value"]).toBe(Number(eu?.["items"]) * 327);
});

test("of two jobs that publish a day at once one spends its budget", async () => {
  await send(bigquery, "raw_eu", people(400, { day: "2026-11-20" }));
  await heard(bigquery, "raw_eu", "aa", "2026-11-21T01:00:00.000Z");
  const now = "2026-11-21T02:00:00.000Z";
  const both = await Promise.all([publishAt(now), publishAt(now), publishAt(now)]);
  expect(both.flatMap((p) => p.days).toSorted()).toEqual(
    [...new Set(both.flatMap((p) => p.days))].toSorted(),
  );
  expect(await records("SELECT COUNT(*) AS n FROM published.releases WHERE day = DATE '2026-11-20'")).toEqual(
    [{ n: 1 }],
  );
  expect(await records("SELECT COUNT(*) AS n FROM published.flow")).toEqual([{ n: 1 }]);
});

test("a job that dies after it spent a day's budget loses the day: the noise is not drawn again", async () => {
  await send(bigquery, "raw_eu", people(400, { day: "2026-11-20" }));
  await heard(bigquery, "raw_eu", "aa", "2026-11-21T01:00:00.000Z");
  const row = {
    day: "2026-11-20",
    epsilon_thousandths: 2000,
    delta_billionths: 10_000,
    released_at: new Date(),
  };
  await bigquery.dataset("published").table("releases").insert([row]);
  expect((await publishAt("2026-11-21T02:00:00.000Z")).days).not.toContain("2026-11-20");
});

test("a day that was tried out while it was open is published all the same, once", async () => {
  const day = "2026-11-20";
  await send(bigquery, "raw_eu", people(400, { day }));
  await heard(bigquery, "raw_eu", "aa", `${day}T11:00:00.000Z`);
  const open = { now: new Date(`${day}T11:00:00.000Z`), openDay: true };
  expect((await publishWarehouse(bigquery, project, open)).groups).toBe(1);
  expect((await publishWarehouse(bigquery, project, open)).groups).toBe(1);
  await heard(bigquery, "raw_eu", "aa", "2026-11-21T01:00:00.000Z");
  expect(await publishAt("2026-11-21T02:00:00.000Z")).toEqual({ days: [day], groups: 1 });
  expect(await records("SELECT COUNT(*) AS n FROM published.flow")).toEqual([{ n: 1 }]);
});

test("a cell that is silent for two days is not waited for any longer", async () => {
  await send(bigquery, "raw_eu", people(400, { day: "2026-11-20" }));
  await heard(bigquery, "raw_eu", "aa", "2026-11-20T10:00:00.000Z");
  expect((await publishAt("2026-11-22T23:00:00.000Z")).days).not.toContain("2026-11-20");
  expect((await publishAt("2026-11-23T00:30:00.000Z")).days).toContain("2026-11-20");
});

test("the report shows stock, flow, coverage, imports and cells, with the errors of each figure", async () => {
  const day = "2026-11-20";
  await send(bigquery, "raw_eu", people(400, { day }));
  await send(bigquery, "raw_eu", people(400, { day, tenant: "a", category: "wine" }));
  await heard(bigquery, "raw_eu", "aa", "2026-11-20T10:00:00.000Z", 3);
  await publishWarehouse(bigquery, project, { now: new Date(`${day}T11:00:00.000Z`), openDay: true });
  const report = await analyticsReport(bigquery, project);
  const [stock] = report.stock;
  expect(report.stock.map((r) => r["category"])).toEqual(["art"]);
  near(stock?.["items"], 400);
  expect(stock).toMatchObject({ items_error: 16, value_error: 5087, price_groups: 1 });
  near(report.flow[0]?.["actors"], 400);
  expect(report.flow[0]?.["error"]).toBe(publishedError);
  expect(report.coverage).toHaveLength(1);
  near(report.imports[0]?.["by_import"], 0);
  expect(report.cells).toEqual([
    { cell: "aa", region: "europe-west1", seen_at: expect.anything(), lag_minutes: 3 },
  ]);
});
