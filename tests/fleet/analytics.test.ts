import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CanaryWatch } from "@proveniq/analytics-sink/testing/canaries";
import {
  asRecords,
  openWarehouse,
  queryWarehouse,
  reconcileWarehouse,
} from "@proveniq/control-plane/analytics";
import { DatabasePool } from "@proveniq/db/pool";
import { controlClient } from "@proveniq/local-cloud/control";
import { afterAll, expect, inject, test } from "vitest";
import { Client } from "../../examples/demo/client.ts";
import { partner as partnerOf } from "../setup/callers.ts";

const fleet = inject("fleet");
const client = new Client(fleet.router);
const control = controlClient(fleet.control);
const { project, rest } = fleet.warehouse;
const bigquery = openWarehouse({ project, endpoint: rest });
const pools: DatabasePool[] = [];
afterAll(async () => {
  await client.close();
  await Promise.all(pools.map((pool) => pool.close()));
});

const partner = partnerOf(fleet, "atelier-nord");

const cells = Object.entries(fleet.cells).map(([cell, { emulator, databases, project: own }]) => {
  const pool = new DatabasePool({ projectId: own, allow: databases, emulatorHost: emulator });
  pools.push(pool);
  return { cell, project: own, databases, pool };
});

/** What every cell delivered and what arrived, once nothing waits. */
async function settled() {
  let last = await reconcileWarehouse(bigquery, project, cells);
  await expect
    .poll(
      async () => {
        last = await reconcileWarehouse(bigquery, project, cells);
        return last.map((c) => [c.cell, c.waiting, c.faults]);
      },
      { timeout: 30_000, interval: 500 },
    )
    .toEqual(cells.map((c) => [c.cell, 0, []]));
  return last;
}

const rowsOf = async (cell: string) => {
  const [row] = asRecords(
    await queryWarehouse(bigquery, `SELECT arrived_events FROM raw_eu.deliveries WHERE cell = '${cell}'`),
  );
  return Number(row?.["arrived_events"] ?? 0);
};

test("a change is in its residency's warehouse within seconds, and nothing of what it says anywhere outside its cell", async () => {
  const secret = (what: string) => `${what}-${randomUUID()}`;
  const secrets = {
    title: secret("title"),
    description: secret("description"),
    serialNumber: secret("serial"),
    location: secret("location"),
    externalId: secret("external"),
    ownerId: secret("owner"),
    attributes: { inscription: secret("inscription") },
  };
  const body = {
    ...secrets,
    category: "art",
    marketKey: `m:${randomUUID()}`,
    insuredValue: { amountMinor: 48_151_623, currency: "EUR" },
  };
  const before = await rowsOf("eu");
  await client.expect(201, partner, "POST", "/v1/items", { body });
  const started = Date.now();
  await expect.poll(() => rowsOf("eu"), { timeout: 15_000, interval: 100 }).toBe(before + 1);
  expect(Date.now() - started).toBeLessThan(15_000);

  const { attributes, ...texts } = secrets;
  const watch = new CanaryWatch([...Object.values(texts), attributes.inscription, body.marketKey]);
  const stateDir = dirname(fleet.directoryFile);
  const outside: string[] = [];
  for (const folder of ["logs", "warehouse"]) {
    for (const file of await readdir(join(stateDir, folder))) outside.push(join(stateDir, folder, file));
  }
  expect(outside.some((file) => file.endsWith("sink-eu.log"))).toBe(true);
  for (const file of outside) expect(watch.search(file, await readFile(file))).toEqual([]);
  for (const table of ["events", "people", "plans", "heartbeats"]) {
    const rows = await queryWarehouse(bigquery, `SELECT * FROM raw_eu.${table}`);
    expect(watch.search(table, JSON.stringify(rows))).toEqual([]);
  }
  for (const dataset of ["raw_us", "raw_global"]) {
    const rows = asRecords(await queryWarehouse(bigquery, `SELECT DISTINCT cell FROM ${dataset}.events`));
    expect(rows.map((r) => r["cell"])).not.toContain("eu");
  }
});

test("cells do not notice a warehouse or sink that dies, and what was committed meanwhile arrives once", async () => {
  const [eu] = (await settled()).filter((c) => c.cell === "eu");
  const body = { title: "Meanwhile", category: "wine" };
  await control.kill("warehouse");
  const first = await client.expect(201, partner, "POST", "/v1/items", { body });
  await control.kill("sink-eu");
  const second = await client.expect(201, partner, "POST", "/v1/items", { body });
  expect([first.status, second.status]).toEqual([201, 201]);
  await expect
    .poll(async () => (await fetch(`${rest}/health`).catch(() => undefined))?.ok, { timeout: 20_000 })
    .toBe(true);
  await expect.poll(() => rowsOf("eu"), { timeout: 30_000, interval: 200 }).toBe((eu?.arrived ?? 0) + 2);
  const [after] = (await settled()).filter((c) => c.cell === "eu");
  expect(after).toMatchObject({
    delivered: (eu?.delivered ?? 0) + 2,
    arrived: (eu?.arrived ?? 0) + 2,
    setAside: 0,
  });
});
