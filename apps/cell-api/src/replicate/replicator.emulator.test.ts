import type { ChangePage } from "@proveniq/contracts";
import { BucketDigests, bucketOf, PublishedMarket } from "@proveniq/db/market/centre";
import { repairBucket, scanReplica } from "@proveniq/db/market/drift";
import { ReplicaWriter } from "@proveniq/db/market/replica";
import { DatabasePool } from "@proveniq/db/pool";
import { afterAll, expect, inject, test } from "vitest";
import { silentLogger } from "../log.ts";
import { someValue, TestCentre } from "../testing/centre.ts";
import { auditBucket } from "./audit.ts";
import { Pace } from "./pace.ts";
import { Replicator } from "./replicator.ts";

const pools: DatabasePool[] = [];
afterAll(() => Promise.all(pools.map((pool) => pool.close())));

function poolOf(projectId: string): DatabasePool {
  const pool = new DatabasePool({ projectId, allow: ["market"], emulatorHost: inject("firestoreHost") });
  pools.push(pool);
  return pool;
}

/** A centre and the replica of one cell, each in a project of its own. */
async function setUp(name: string) {
  const central = poolOf(`${name}-central`);
  const db = await poolOf(`${name}-cell`).open("market");
  const reach = { centre: true };
  const market = new PublishedMarket(async () => {
    if (!reach.centre) throw new Error("the centre is down");
    return central.open("market");
  });
  const replicator = (holder = "first", leaseMs = 10_000) =>
    new Replicator({
      centre: market,
      replica: new ReplicaWriter(db, holder, leaseMs),
      pace: new Pace({ startRate: 1e6, maxRate: 1e6 }),
      logger: silentLogger,
      heartbeatMs: 0,
    });
  return { centre: new TestCentre(() => central.open("market")), market, db, reach, replicator };
}

type Setup = Awaited<ReturnType<typeof setUp>>;

async function settle(replicator: Replicator): Promise<number> {
  for (let steps = 1; steps < 500; steps++) if ((await replicator.step()) !== "worked") return steps;
  throw new Error("it never settled");
}

async function expectEqual({ centre, db }: Setup): Promise<void> {
  const scan = await scanReplica(db);
  expect(scan?.state).toMatchObject({ sequence: centre.sequence, rebase: null });
  expect(scan?.digests.differing(centre.digests())).toEqual([]);
  expect(scan).toMatchObject({ values: centre.values.size, strays: [] });
}

const stones = (from: number, to: number, medianMinor?: number) =>
  Array.from({ length: to - from }, (_, n) => someValue(from + n, medianMinor));

test("a new replica follows from the first page, through changes and tombstones", async () => {
  const all = await setUp("follow");
  await all.centre.publish(stones(0, 300));
  await all.centre.publish(stones(100, 200, 7), ["stone:5"]);
  const replicator = all.replicator();
  await settle(replicator);
  await expectEqual(all);
  await all.centre.publish([someValue(5, 9)], ["stone:6"]);
  await settle(replicator);
  await expectEqual(all);
  expect(replicator.state?.caughtUpAt).not.toBeNull();
});

test("a newcomer starts from the base generation and reads it once", async () => {
  const all = await setUp("newcomer");
  for (let page = 0; page < 6; page++) await all.centre.publish(stones(page * 300, (page + 1) * 300));
  await all.centre.base();
  await all.centre.publish(stones(0, 50, 3));
  await settle(all.replicator());
  await expectEqual(all);
  // Two heads, the generation, its four parts and one page; a rebase of 1,800 values in pieces of 500.
  expect(all.market.reads).toBeLessThanOrEqual(9);
});

test("a replica that fell behind the compaction starts again and sweeps what is no longer named", async () => {
  const all = await setUp("behind");
  await all.centre.publish(stones(0, 200));
  const replicator = all.replicator();
  await settle(replicator);
  await all.centre.publish(
    stones(0, 10, 4),
    stones(150, 200).map((v) => v.marketKey),
  );
  await all.centre.base();
  await all.centre.publish(stones(300, 310));
  await all.centre.base();
  expect(await all.market.pages(2, 2)).toEqual([]);
  await settle(replicator);
  await expectEqual(all);
});

test("a base that is superseded half-way is left for the newer one", async () => {
  const all = await setUp("superseded");
  await all.centre.publish(stones(0, 400));
  await all.centre.publish(stones(400, 800));
  await all.centre.base();
  const replicator = all.replicator();
  for (let step = 0; step < 3; step++) await replicator.step();
  expect(replicator.state?.rebase?.nextBucket).toBeGreaterThan(0);
  for (let round = 0; round < 2; round++) {
    await all.centre.publish(stones(0, 400, 50 + round), [`stone:${700 + round}`]);
    await all.centre.base();
  }
  await settle(replicator);
  await expectEqual(all);
});

test("a new lineage is taken over from its base, though its sequence is lower", async () => {
  const all = await setUp("lineage");
  await all.centre.publish(stones(0, 20));
  await all.centre.publish(stones(20, 40));
  const replicator = all.replicator();
  await settle(replicator);
  const restored = poolOf("lineage-restored");
  const centre = new TestCentre(() => restored.open("market"));
  await centre.publish(stones(0, 30, 5));
  await centre.base("lineage1111111111111");
  const other = new Replicator({
    centre: new PublishedMarket(() => restored.open("market")),
    replica: new ReplicaWriter(all.db, "first", 10_000),
    pace: new Pace({ startRate: 1e6, maxRate: 1e6 }),
    logger: silentLogger,
    heartbeatMs: 0,
  });
  await settle(other);
  expect(other.state).toMatchObject({ lineage: "lineage1111111111111", sequence: 1 });
  await expectEqual({ ...all, centre });
});

test("gaps, repetitions and pages of another lineage are refused, and change nothing", async () => {
  const all = await setUp("order");
  await all.centre.publish(stones(0, 5));
  await settle(all.replicator());
  const writer = new ReplicaWriter(all.db, "first", 10_000);
  const page = (sequence: number, more: Partial<ChangePage> = {}): ChangePage => ({
    lineage: "lineage0000000000000",
    sequence,
    publishedAt: "2026-11-23T10:00:00.000Z",
    upserts: [someValue(0, 999)],
    withdrawn: [],
    ...more,
  });
  await expect(writer.applyPage(page(3), true)).rejects.toThrow("page 3 does not follow page 1");
  await expect(writer.applyPage(page(2, { lineage: "lineage2222222222222" }), true)).rejects.toThrow(
    /lineage/,
  );
  expect(await writer.applyPage(page(1), true)).toMatchObject({ sequence: 1 });
  await expectEqual(all);
});

test("one replicator at a time: the second waits until the lease of the first has run out", async () => {
  const all = await setUp("lease");
  await all.centre.publish(stones(0, 5));
  const first = all.replicator("first", 800);
  const second = all.replicator("second", 800);
  await settle(first);
  expect(await second.step()).toBe("waiting");
  await new Promise((resolve) => setTimeout(resolve, 900));
  await all.centre.publish(stones(5, 9));
  await settle(second);
  expect(await first.step()).toBe("waiting");
  await second.release();
  expect(await first.step()).not.toBe("waiting");
  await expectEqual(all);
});

test("while the centre is down nothing is lost, and afterwards it goes on by itself", async () => {
  const all = await setUp("down");
  await all.centre.publish(stones(0, 5));
  const replicator = all.replicator();
  await settle(replicator);
  all.reach.centre = false;
  await expect(replicator.step()).rejects.toThrow("the centre is down");
  all.reach.centre = true;
  await all.centre.publish(stones(5, 9));
  await settle(replicator);
  await expectEqual(all);
});

test("a replica that is ahead of the centre is left as it is and does not call itself current", async () => {
  const all = await setUp("ahead");
  await all.centre.publish(stones(0, 5));
  const replicator = all.replicator();
  await settle(replicator);
  const { caughtUpAt } = replicator.state ?? {};
  const writer = new ReplicaWriter(all.db, "first", 10_000);
  const lineage = "lineage0000000000000";
  await writer.applyPage(
    { lineage, sequence: 2, publishedAt: "2026-11-23T10:00:00.000Z", upserts: [someValue(9)], withdrawn: [] },
    false,
  );
  const again = all.replicator();
  expect(await again.step()).toBe("current");
  expect(again.state).toMatchObject({ sequence: 2, caughtUpAt });
});

test.each<[string, (all: Setup, bucket: number) => Promise<unknown>]>([
  ["a changed value", ({ db }) => db.doc("values/stone:7").update({ medianMinor: 1 })],
  ["a value that is gone", ({ db }) => db.doc("values/stone:7").delete()],
  ["a value that cannot be read", ({ db }) => db.doc("values/stone:7").set({ bucket: bucketOf("stone:7") })],
  [
    "a value nobody published",
    ({ db, centre }, bucket) => {
      const { marketKey: _key, ...fields } = centre.values.get("stone:7") ?? { marketKey: "" };
      return db.doc("values/foreign:1").set({ ...fields, bucket });
    },
  ],
])("%s is found in its bucket, and only that is repaired", async (_name, spoil) => {
  const all = await setUp(`drift-${_name.replaceAll(" ", "-").slice(0, 18)}`);
  await all.centre.publish(stones(0, 60));
  await all.centre.base();
  await all.centre.publish([someValue(7, 42)]);
  await settle(all.replicator());
  const bucket = bucketOf("stone:7");
  const deps = { centre: all.market, open: async () => all.db, logger: silentLogger };
  expect(await auditBucket(deps, bucket)).toBe("equal");
  await spoil(all, bucket);
  expect(await auditBucket(deps, bucket)).toBe("repaired");
  expect(await auditBucket(deps, bucket)).toBe("equal");
  await expectEqual(all);
});

test("a document in no bucket is a stray, and a repair removes it", async () => {
  const all = await setUp("stray");
  await all.centre.publish(stones(0, 3));
  await settle(all.replicator());
  await all.db.doc("values/stray:1").set({ medianMinor: 1 });
  const scan = await scanReplica(all.db);
  expect(scan?.strays).toEqual(["stray:1"]);
  const bucket = bucketOf("stray:1");
  expect(scan?.digests.differing(all.centre.digests())).toEqual([bucket]);
  const values = [...all.centre.values.values()].filter((v) => bucketOf(v.marketKey) === bucket);
  const at = { lineage: "lineage0000000000000", sequence: 1 };
  expect(await repairBucket(all.db, { ...at, bucket, values, strays: ["stray:1"] })).toBe(1);
  await expectEqual(all);
  await expect(repairBucket(all.db, { ...at, sequence: 2, bucket, values })).rejects.toThrow(
    /not at sequence/,
  );
});

test("an empty centre leaves an empty replica that is up to date", async () => {
  const all = await setUp("empty");
  const replicator = all.replicator();
  expect(await replicator.step()).toBe("current");
  expect(replicator.state).toMatchObject({ sequence: 0, lineage: null });
  expect(replicator.state?.caughtUpAt).not.toBeNull();
  expect((await scanReplica(all.db))?.digests.differing(new BucketDigests())).toEqual([]);
});
