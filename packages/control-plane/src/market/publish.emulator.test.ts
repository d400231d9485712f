import type { MarketValue } from "@proveniq/contracts";
import { BucketDigests, contentsAt } from "@proveniq/db/market/centre";
import { MarketPublishing } from "@proveniq/db/market/publishing";
import { DatabasePool } from "@proveniq/db/pool";
import { afterAll, expect, inject, test } from "vitest";
import { publishMarket, renewMarket } from "./publish.ts";

const pools: DatabasePool[] = [];
afterAll(() => Promise.all(pools.map((pool) => pool.close())));

function centre(name: string): MarketPublishing {
  const pool = new DatabasePool({
    projectId: `cp-market-${name}`,
    allow: ["market"],
    emulatorHost: inject("firestoreHost"),
  });
  pools.push(pool);
  return new MarketPublishing(() => pool.open("market"));
}

const book = (count: number, medianMinor: (n: number) => number = () => 100): Map<string, MarketValue> =>
  new Map(
    Array.from({ length: count }, (_, n) => [
      `stone:${n}`,
      {
        marketKey: `stone:${n}`,
        currency: "USD",
        medianMinor: medianMinor(n),
        p10Minor: 0,
        p90Minor: 1_000,
        sampleSize: 5,
        asOf: "2026-11-01",
      },
    ]),
  );

async function published(market: MarketPublishing) {
  const head = await market.published.head();
  if (head === undefined) throw new Error("nothing is published");
  const values = await contentsAt(market.published, head);
  const digests = new BucketDigests();
  for (const value of values.values()) digests.add(value);
  const stated = await market.published.digests();
  expect(stated?.digests.differing(digests)).toEqual([]);
  expect(head.values).toBe(values.size);
  return { head, values };
}

test("values are published as pages with a base, and the same values once more as nothing", async () => {
  const market = centre("twice");
  const first = await publishMarket(market, book(1_100));
  expect(first).toMatchObject({ sequence: 3, pages: 3, changed: 1_100, withdrawn: 0, unchanged: 0, base: 3 });
  const reads = market.published.reads;
  expect(await publishMarket(market, book(1_100))).toMatchObject({ sequence: 3, pages: 0, unchanged: 1_100 });
  // Head, base and its one part: what is published is not read value by value.
  expect(market.published.reads - reads).toBeLessThanOrEqual(4);
  const { values } = await published(market);
  expect(values.get("stone:0")).toMatchObject({ medianMinor: 100, sequence: 1 });
});

test("a change is one page, a missing value leaves a tombstone, and too many missing ones are refused", async () => {
  const market = centre("change");
  await publishMarket(market, book(100));
  const changed = book(95, (n) => (n === 3 ? 101 : 100));
  expect(await publishMarket(market, changed)).toMatchObject({
    pages: 2,
    changed: 1,
    withdrawn: 5,
    base: null,
  });
  const { values } = await published(market);
  expect(values.get("stone:3")).toMatchObject({ medianMinor: 101, sequence: 2 });
  expect(values.has("stone:95")).toBe(false);

  await expect(publishMarket(market, book(10))).rejects.toThrow(/85 of 95 .* withdrawn/);
  expect((await published(market)).values.size).toBe(95);
  expect(await publishMarket(market, book(10), { maxWithdrawnPercent: 100 })).toMatchObject({
    withdrawn: 85,
  });
});

test("of two that publish at once, one is refused and the result is one of the two", async () => {
  const market = centre("rivals");
  await publishMarket(market, book(50));
  const results = await Promise.allSettled([
    publishMarket(
      market,
      book(50, () => 200),
    ),
    publishMarket(
      market,
      book(50, () => 300),
    ),
  ]);
  const refused = results.filter((r) => r.status === "rejected");
  expect(refused.map((r) => String(r.reason))).toEqual([expect.stringMatching(/another publication/)]);
  const medians = new Set([...(await published(market)).values.values()].map((v) => v.medianMinor));
  expect(medians.size).toBe(1);
});

test("a newer base lets go of the pages before the one before it", async () => {
  const market = centre("compaction");
  for (let round = 1; round <= 3; round++) {
    const result = await publishMarket(
      market,
      book(10_000, () => 100 + round),
    );
    expect(result).toMatchObject({ pages: 20, base: round * 20 });
  }
  const { head } = await published(market);
  expect(head).toMatchObject({ sequence: 60, base: 60, oldestPage: 41 });
  expect(await market.published.pages(40, 40)).toEqual([]);
  expect(await market.published.pages(41, 42)).toHaveLength(2);
  expect(await market.published.base(20)).toBeUndefined();
  expect(await market.published.base(40)).toMatchObject({ values: 10_000 });
});

test("a renewed lineage keeps the values and goes on counting", async () => {
  const market = centre("renew");
  await publishMarket(market, book(20));
  const before = (await published(market)).head;
  const head = await renewMarket(market);
  expect(head.lineage).not.toBe(before.lineage);
  expect(head).toMatchObject({ sequence: 1, base: 1, oldestPage: 2, values: 20 });
  await publishMarket(
    market,
    book(20, () => 5),
  );
  expect((await published(market)).head).toMatchObject({ lineage: head.lineage, sequence: 2 });
});
