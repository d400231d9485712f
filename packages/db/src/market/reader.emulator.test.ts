import type { DocumentReference, Firestore } from "@google-cloud/firestore";
import type { PublishedValue } from "@proveniq/contracts";
import { afterAll, afterEach, beforeEach, expect, inject, test } from "vitest";
import { DatabasePool } from "../pool.ts";
import { someValue } from "../testing/market.ts";
import { MarketReader, type MarketReaderOptions } from "./reader.ts";
import { ReplicaWriter } from "./replica.ts";

const pools: DatabasePool[] = [];
const readers: MarketReader[] = [];
let tests = 0;
let writer: ReplicaWriter;
let db: Firestore;
/** What the reader asked of the database: how many round trips, and for how many documents. */
let trips: number[] = [];
let down = false;

beforeEach(async () => {
  const projectId = `market-reader-${++tests}`;
  const options = { projectId, allow: ["market"], emulatorHost: inject("firestoreHost") };
  const pool = new DatabasePool(options);
  pools.push(pool);
  writer = new ReplicaWriter(await pool.open("market"), "test", 60_000);
  await writer.acquire();
  await writer.adopt(lineage);
  const readable = new DatabasePool({ ...options, readOnly: true });
  pools.push(readable);
  db = await readable.open("market");
  trips = [];
  down = false;
});
afterEach(() => {
  for (const reader of readers.splice(0)) reader.close();
});
afterAll(() => Promise.all(pools.map((pool) => pool.close())));

const lineage = "lineage0000000000000";

async function publish(sequence: number, ...values: ReturnType<typeof someValue>[]): Promise<void> {
  const publishedAt = new Date().toISOString();
  await writer.applyPage({ lineage, sequence, publishedAt, upserts: values, withdrawn: [] }, true);
}

function reader(options: Partial<MarketReaderOptions> = {}): MarketReader {
  const watched = new Proxy(db, {
    get: (target, name) =>
      name === "getAll"
        ? (...refs: DocumentReference[]) => {
            // Polls of the replica's state go this way too.
            if (refs[0]?.path.startsWith("values/") === true) trips.push(refs.length);
            return target.getAll(...refs);
          }
        : Reflect.get(target, name, target),
  });
  const open = async () => {
    if (down) throw Object.assign(new Error("down"), { code: 14 });
    return watched;
  };
  const made = new MarketReader({ open, timeoutMs: 1_000, ...options });
  readers.push(made);
  return made;
}

const medians = (values: ReadonlyMap<string, PublishedValue>) =>
  Object.fromEntries([...values].map(([key, value]) => [key, value.medianMinor]));

test("many values take one round trip, then none; keys without a value are remembered too", async () => {
  await publish(1, ...Array.from({ length: 120 }, (_, n) => someValue(n, 100 + n)));
  const market = reader();
  const keys = Array.from({ length: 130 }, (_, n) => someValue(n, 1).marketKey);
  const first = await market.values(keys);
  expect(first.values.size).toBe(120);
  expect(first.values.get("stone:grade-7")).toEqual({ ...someValue(7, 107), sequence: 1 });
  expect(first.replica).toEqual({ sequence: 1, ageSeconds: 0 });
  expect(trips).toEqual([130]);
  expect((await market.values(keys)).values.size).toBe(120);
  await market.values(["stone:grade-1", "stone:grade-500"]);
  expect(trips).toEqual([130, 1]);
});

test("those who ask for the same at once share the round trip", async () => {
  await publish(1, someValue(1, 5));
  const market = reader();
  await market.status();
  const found = await Promise.all(Array.from({ length: 20 }, () => market.values(["stone:grade-1"])));
  expect(found.map((f) => medians(f.values))).toEqual(
    Array.from({ length: 20 }, () => ({ "stone:grade-1": 5 })),
  );
  expect(trips).toEqual([1]);
});

test("a change is seen a poll after it arrived, and not before its sequence", async () => {
  await publish(1, someValue(1, 5));
  const market = reader({ pollMs: 50 });
  expect(medians((await market.values(["stone:grade-1"])).values)).toEqual({ "stone:grade-1": 5 });
  await publish(2, someValue(1, 6));
  const seen: [number, number | undefined][] = [];
  const arrived = performance.now();
  while (seen.at(-1)?.[0] !== 2 && performance.now() - arrived < 1_000) {
    const { values, replica } = await market.values(["stone:grade-1"]);
    seen.push([replica.sequence, values.get("stone:grade-1")?.medianMinor]);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(seen.at(-1)).toEqual([2, 6]);
  expect(seen.filter(([sequence]) => sequence === 1).every(([, median]) => median === 5)).toBe(true);
});

test("while the database is away what is known is served and grows old; the rest is refused at once", async () => {
  await publish(1, someValue(1, 5), someValue(2, 7));
  let now = Date.now();
  const market = reader({ now: () => now, pollMs: 10 });
  await market.values(["stone:grade-1"]);
  down = true;
  now += 90_000;
  const { values, replica } = await market.values(["stone:grade-1"]);
  expect(medians(values)).toEqual({ "stone:grade-1": 5 });
  expect(replica.ageSeconds).toBeGreaterThanOrEqual(89);
  await expect(market.values(["stone:grade-2"])).rejects.toMatchObject({ code: "database-unavailable" });
  down = false;
  now += 1_000;
  expect(medians((await market.values(["stone:grade-2"])).values)).toEqual({ "stone:grade-2": 7 });
});

test("a database that was never reached is refused, and not asked again by everyone who waits", async () => {
  down = true;
  const market = reader();
  await expect(market.values(["stone:grade-1"])).rejects.toMatchObject({ code: "database-unavailable" });
  const started = performance.now();
  await expect(market.status()).rejects.toMatchObject({ code: "database-unavailable" });
  expect(performance.now() - started).toBeLessThan(50);
});

test("memory stays bounded, and an answer is whole even when it is larger than that", async () => {
  await publish(1, ...Array.from({ length: 40 }, (_, n) => someValue(n, n)));
  const market = reader({ maxEntries: 10 });
  const keys = Array.from({ length: 40 }, (_, n) => someValue(n, 1).marketKey);
  expect((await market.values(keys)).values.size).toBe(40);
  expect((await market.values(keys)).values.size).toBe(40);
  expect(trips).toEqual([40, 30]);
});

test("a replica that never equalled the centre has no age", async () => {
  expect(await reader().status()).toEqual({ sequence: 0, ageSeconds: null });
});
