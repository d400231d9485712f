import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BigQuery } from "@google-cloud/bigquery";
import type { managedwriter as ManagedWriter } from "@google-cloud/bigquery-storage";
import { credentials } from "@grpc/grpc-js";
import { rawDataset, warehouseTables, warehouseViews } from "@proveniq/contracts/warehouse";
import { asRecords, createWarehouse, openWarehouse, queryWarehouse } from "@proveniq/control-plane/analytics";
import { PassThroughClient } from "google-auth-library";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalWarehouse, startWarehouse } from "./index.ts";

// Google's own clients against the stand-in: whatever they rely on, it has to do.
const project = "proveniq-central";
let folder = "";
let warehouse: LocalWarehouse;
let bigquery: BigQuery;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "warehouse-"));
  warehouse = await startWarehouse({ file: join(folder, "warehouse.duckdb") });
  bigquery = openWarehouse({ project, endpoint: warehouse.restUrl });
  await createWarehouse(bigquery, project, { eu: "europe-west1", us: "us-central1", global: "us-central1" });
});
afterAll(async () => {
  await warehouse.stop();
  await rm(folder, { recursive: true });
});

const records = async (sql: string, params = {}) => asRecords(await queryWarehouse(bigquery, sql, params));
const refusal = (sql: string) => records(sql).then(() => "answered", String);

const event = (n: number) => ({
  row_id: String(n).padStart(22, "x"),
  day: "2026-11-23",
  cell: "eu",
  region: "europe-west1",
  type: "created",
  channel: "api",
  category: "art",
  price_bucket: "none",
  currency: "none",
  events: 1,
  items_delta: 1,
  market_delta: 0,
});

test("every table and view of the warehouse is made once, and made again changes nothing", async () => {
  const [made] = await bigquery.dataset("raw_eu").getTables();
  const raw = [...warehouseTables, ...warehouseViews].filter((t) => t.dataset === "raw").map((t) => t.name);
  expect(new Set(made.map((t) => t.id))).toEqual(new Set(raw));
  const places = { eu: "europe-west1", us: "us-central1", global: "us-central1" } as const;
  expect(await createWarehouse(bigquery, project, places)).toEqual([]);
  for (const view of warehouseViews) {
    const dataset = view.dataset === "raw" ? rawDataset("eu") : view.dataset;
    const { columns } = await queryWarehouse(bigquery, `SELECT * FROM ${dataset}.${view.name}`);
    const told = Object.keys(view.columns).filter((c) => c !== "…");
    expect(columns).toEqual(told.length === 0 ? columns : told);
  }
});

test("inserts are checked strictly and deduplicated by insertId", async () => {
  const table = bigquery.dataset("raw_eu").table("events");
  const rows = [1, 2, 1].map((n) => ({ insertId: `i${n}`, json: event(n) }));
  await table.insert(rows, { raw: true });
  await table.insert(rows, { raw: true });
  expect(await records("SELECT COUNT(*) AS n FROM raw_eu.events")).toEqual([{ n: 2 }]);
  for (const [bad, why] of [
    [{ ...event(3), surname: "x" }, /no such field: surname/],
    [{ ...event(3), events: "one" }, /must be an integer/],
    [{ ...event(3), day: "2026-02-30" }, /not a date/],
    [{ ...event(3), cell: null }, /is required/],
  ] as const) {
    await expect(table.insert([bad])).rejects.toMatchObject({
      errors: [{ errors: [{ message: expect.stringMatching(why) }] }],
    });
  }
});

test("results are paged, typed, and take parameters", async () => {
  const table = bigquery.dataset("raw_us").table("heartbeats");
  const beat = (n: number) => ({
    day: "2026-11-23",
    cell: "us",
    region: "us-central1",
    seen_at: "2026-11-23T10:00:00.123Z",
    lag_minutes: n,
  });
  await table.insert(Array.from({ length: 25 }, (_, n) => beat(n)));
  const [job] = await bigquery.createQueryJob(
    "SELECT lag_minutes FROM raw_us.heartbeats ORDER BY lag_minutes",
  );
  const [page, next] = await job.getQueryResults({ maxResults: 10, autoPaginate: false });
  expect(page).toHaveLength(10);
  expect(next).toMatchObject({ pageToken: "10" });
  const [last] = await job.getQueryResults({ maxResults: 10, pageToken: "20", autoPaginate: false });
  expect(last.map((r) => r.lag_minutes)).toEqual([20, 21, 22, 23, 24]);
  expect((await table.getRows({ maxResults: 7 }))[0]).toHaveLength(7);
  const found = await records(
    "SELECT day, seen_at, lag_minutes FROM raw_us.heartbeats WHERE lag_minutes = @lag AND day >= @day",
    {
      lag: 24,
      day: "2026-11-01",
    },
  );
  expect(found).toEqual([{ day: "2026-11-23", seen_at: "2026-11-23T10:00:00.123Z", lag_minutes: 24 }]);
});

test("load jobs replace one day, or the whole table, at once", async () => {
  const day = (epsilon: number, at: string) => ({
    day: at,
    epsilon_thousandths: epsilon,
    delta_billionths: 1,
    released_at: `${at}T01:00:00.000Z`,
  });
  const load = async (id: string, rows: object[], writeDisposition = "WRITE_TRUNCATE") => {
    const file = join(folder, "rows.ndjson");
    await writeFile(file, rows.map((r) => `${JSON.stringify(r)}\n`).join(""));
    const [job] = await bigquery.dataset("published").table(id).load(file, {
      sourceFormat: "NEWLINE_DELIMITED_JSON",
      writeDisposition,
    });
    return job.status?.state;
  };
  expect(await load("releases$20261122", [day(1, "2026-11-22")])).toBe("DONE");
  await load("releases$20261123", [day(1, "2026-11-23"), day(2, "2026-11-23")]);
  await load("releases$20261123", [day(3, "2026-11-23")]);
  const held = [{ epsilon_thousandths: 1 }, { epsilon_thousandths: 3 }];
  const all = () => records("SELECT epsilon_thousandths FROM published.releases ORDER BY day");
  expect(await all()).toEqual(held);
  await expect(load("releases$20261123", [day(4, "2026-11-24")])).rejects.toThrow(
    /does not belong to partition/,
  );
  await expect(load("releases$20261123", [day(5, "2026-11-23")], "WRITE_EMPTY")).rejects.toThrow(
    /Already Exists/,
  );
  expect(await all()).toEqual(held);
  expect(await load("releases$20261124", [day(6, "2026-11-24")], "WRITE_EMPTY")).toBe("DONE");
});

test("what BigQuery would not answer, or would answer otherwise, is refused", async () => {
  expect(await refusal("SELECT day FROM raw_eu.events JOIN raw_us.events USING (day)")).toMatch(
    /one location only/,
  );
  expect(await refusal("SELECT cell, cell FROM raw_eu.events")).toMatch(/Duplicate column/);
  expect(await refusal("SELECT x FROM raw_eu.events")).toMatch(/"x" not found/);
  expect(await refusal("SELECT x FROM raw_eu.nothing")).toMatch(/Not found: Table/);
  expect(await refusal("SELECT 1 / 2 AS x")).toMatch(/SAFE_DIVIDE/);
});

test("where the two engines could differ, it computes what BigQuery does", async () => {
  const [row] = await records(
    "SELECT SAFE_DIVIDE(1, 2) AS half, SAFE_DIVIDE(1, 0) AS none, ROUND(2.5) AS up, ROUND(-2.5) AS down, 0.1 + 0.2 AS binary_sum, MOD(-7, 3) AS rest",
  );
  expect(row).toEqual({ half: 0.5, none: null, up: 3, down: -3, binary_sum: 0.1 + 0.2, rest: -1 });
  const sorted =
    "SELECT IF(lag_minutes = 3, NULL, lag_minutes) AS n FROM raw_us.heartbeats WHERE lag_minutes < 5 ORDER BY n";
  expect((await records(sorted)).map((r) => r["n"])).toEqual([null, 0, 1, 2, 4]);
  expect((await records(`${sorted} DESC`)).map((r) => r["n"])).toEqual([4, 2, 1, 0, null]);
});

interface Appended {
  error?: { code?: number } | null;
  appendResult?: { offset?: { value?: string } | null } | null;
}

test("committed streams have true offsets, survive a restart, and end when finalized", async () => {
  // The package's own entry; its types name it only as a namespace.
  const storage = createRequire(import.meta.url)("@google-cloud/bigquery-storage");
  const { WriterClient, JSONWriter } = storage.managedwriter as typeof ManagedWriter;
  const open = async (streamId: string) => {
    const [host, port] = warehouse.grpcHost.split(":");
    const client = new WriterClient({
      projectId: project,
      apiEndpoint: host,
      port: Number(port),
      sslCreds: credentials.createInsecure(),
      authClient: new PassThroughClient() as never,
    });
    const parent = `projects/${project}/datasets/raw_eu/tables/plans`;
    const stream =
      streamId === ""
        ? await client.createWriteStreamFullResponse({ streamType: "COMMITTED", destinationTable: parent })
        : undefined;
    const name = stream?.name ?? streamId;
    const { tableSchema } = (await client.getWriteStream({ streamId: name, view: "FULL" } as never)) as never;
    const connection = await client.createStreamConnection({ streamId: name });
    const protoDescriptor = storage.adapt.convertStorageSchemaToProto2Descriptor(tableSchema, "root");
    const writer = new JSONWriter({ connection, protoDescriptor });
    const append = async (id: string, offset: number) => {
      const row = {
        plan_id: id.padEnd(22, "p"),
        day: new Date("2026-11-23"),
        cell: "eu",
        region: "europe-west1",
      };
      const counts = { events: 1, event_rows: 1, mark_rows: 1, digest: "0".repeat(64), version: 1 };
      const answer = (await writer
        .appendRows([{ ...row, ...counts }] as never, offset)
        .getResult()) as Appended;
      return answer.error?.code ?? `at ${answer.appendResult?.offset?.value}`;
    };
    return { name, append, finalize: () => connection.finalize(), close: () => client.close() };
  };

  const first = await open("");
  expect(await first.append("a", 0)).toBe("at 0");
  expect(await first.append("b", 1)).toBe("at 1");
  expect(await first.append("b", 1)).toBe(6);
  expect(await first.append("d", 3)).toBe(11);
  expect(await first.append("c", 2)).toBe("at 2");
  first.close();

  const { restUrl, grpcHost } = warehouse;
  await warehouse.stop();
  warehouse = await startWarehouse({
    file: join(folder, "warehouse.duckdb"),
    restPort: Number(new URL(restUrl).port),
    grpcPort: Number(grpcHost.split(":")[1]),
  });
  const again = await open(first.name);
  expect(await again.append("c", 2)).toBe(6);
  expect(await again.append("d", 3)).toBe("at 3");
  expect(Number((await again.finalize())?.rowCount)).toBe(4);
  expect(await again.append("e", 4)).toBe(3);
  again.close();
  expect(
    (await records("SELECT plan_id FROM raw_eu.plans ORDER BY plan_id")).map((r) => String(r["plan_id"])[0]),
  ).toEqual(["a", "b", "c", "d"]);
});
