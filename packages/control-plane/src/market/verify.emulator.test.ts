import type { MarketValue } from "@proveniq/contracts";
import { bucketOf, contentsAt, PublishedMarket } from "@proveniq/db/market/centre";
import { MarketPublishing } from "@proveniq/db/market/publishing";
import { ReplicaWriter } from "@proveniq/db/market/replica";
import { DatabasePool } from "@proveniq/db/pool";
import { afterAll, expect, inject, test } from "vitest";
import { publishMarket } from "./publish.ts";
import { verifyMarket } from "./verify.ts";

const pools: DatabasePool[] = [];
afterAll(() => Promise.all(pools.map((pool) => pool.close())));

function poolOf(projectId: string, emulatorHost = inject("firestoreHost")): DatabasePool {
  const pool = new DatabasePool({ projectId, allow: ["market"], emulatorHost });
  pools.push(pool);
  return pool;
}

const central = poolOf("cp-verify-central");
const cells = ["one", "two"].map((cell) => ({ cell, pool: poolOf(`cp-verify-${cell}`) }));
const access = cells.map(({ cell, pool }) => ({ cell, open: () => pool.open("market") }));
const published = new PublishedMarket(() => central.open("market"));

/** Bring a cell to where the centre is, as its replicator would. */
async function replicate(pool: DatabasePool, upTo?: number): Promise<void> {
  const writer = new ReplicaWriter(await pool.open("market"), "test", 60_000);
  const head = await published.head();
  if (head === undefined) throw new Error("nothing is published");
  await writer.acquire();
  const { sequence } = await writer.adopt(head.lineage);
  for (const page of await published.pages(sequence + 1, upTo ?? head.sequence)) {
    await writer.applyPage(page, true);
  }
}

const book = new Map(
  Array.from({ length: 700 }, (_, n): [string, MarketValue] => [
    `stone:${n}`,
    {
      marketKey: `stone:${n}`,
      currency: "USD",
      medianMinor: n,
      p10Minor: 0,
      p90Minor: 1_000,
      sampleSize: 5,
      asOf: "2026-11-01",
    },
  ]),
);

test("differing buckets are named, repaired alone, and then equal", async () => {
  await expect(verifyMarket(published, access)).rejects.toThrow(/Nothing was ever published/);
  await publishMarket(new MarketPublishing(() => central.open("market")), book);
  for (const { pool } of cells) await replicate(pool);
  const equal = { verdict: "equal", sequence: 2, values: 700, buckets: [], repaired: 0 };
  expect(await verifyMarket(published, access)).toMatchObject({
    centre: { sequence: 2, values: 700, sound: true },
    cells: [
      { cell: "one", ...equal },
      { cell: "two", ...equal },
    ],
  });

  const db = await cells[1]?.pool.open("market");
  if (db === undefined) throw new Error("there are two cells");
  await db.doc("values/stone:3").update({ medianMinor: 4 });
  await db.doc("values/stone:5").delete();
  await db.doc("values/stray:1").set({ medianMinor: 4 });
  const buckets = ["stone:3", "stone:5", "stray:1"].map(bucketOf).sort((a, b) => a - b);
  const untouched = await db.doc("values/stone:7").get();
  const found = await verifyMarket(published, access);
  expect(found.cells).toMatchObject([equal, { cell: "two", verdict: "differs", buckets }]);
  const repaired = await verifyMarket(published, access, { repair: true });
  expect(repaired.cells).toMatchObject([equal, { verdict: "repaired", buckets, repaired: 3 }]);
  expect((await verifyMarket(published, access)).cells).toMatchObject([equal, equal]);
  expect((await db.doc("values/stone:7").get()).updateTime).toEqual(untouched.updateTime);
});

test("a replica at another sequence is behind, and a cell that cannot be reached does not hide the others", async () => {
  const changed = new Map(book);
  const [first] = book.values();
  if (first === undefined) throw new Error("there are values");
  changed.set(first.marketKey, { ...first, sampleSize: 99 });
  await publishMarket(new MarketPublishing(() => central.open("market")), changed);
  const head = await published.head();
  if (head === undefined) throw new Error("values are published");
  expect((await contentsAt(published, head)).get(first.marketKey)).toMatchObject({
    sampleSize: 99,
    sequence: 3,
  });
  await replicate(cells[0]?.pool ?? central);
  const gone = { cell: "gone", open: () => Promise.reject(new Error("no such place")) };
  const { cells: verdicts } = await verifyMarket(published, [...access, gone], {
    repair: true,
    catchUpMs: 300,
  });
  expect(verdicts.map((v) => [v.cell, v.verdict, v.sequence])).toEqual([
    ["one", "equal", 3],
    ["two", "behind", 2],
    ["gone", "unreachable", null],
  ]);
});
