import type { MarketValue, PublishedValue } from "@proveniq/contracts";
import { applyPage } from "@proveniq/db/market/centre";
import fc from "fast-check";
import { expect, test } from "vitest";
import { baseOf, needsBase } from "./base.ts";
import { differenceOf, pagesOf } from "./difference.ts";

const value = (n: number, medianMinor: number): MarketValue => ({
  marketKey: `stone:${n}`,
  currency: "USD",
  medianMinor,
  p10Minor: 0,
  p90Minor: 1_000,
  sampleSize: 5,
  asOf: "2026-11-01",
});
const book = (maxKey: number) =>
  fc
    .dictionary(fc.nat(maxKey).map(String), fc.nat(3))
    .map((d) => new Map(Object.entries(d).map(([n, m]) => [`stone:${n}`, value(Number(n), m)])));
const publish = (values: ReadonlyMap<string, MarketValue>): Map<string, PublishedValue> =>
  new Map([...values].map(([key, v]) => [key, { ...v, sequence: 1 }]));

test("what is published becomes what is wanted, by pages of at most 500 changes that name a key once", () => {
  fc.assert(
    fc.property(book(40), book(40), (before, wanted) => {
      const published = publish(before);
      const difference = differenceOf(published, wanted);
      const pages = pagesOf(difference);
      for (const [n, page] of pages.entries()) {
        applyPage(published, { lineage: "l", sequence: 2 + n, publishedAt: "", ...page });
      }
      const reached = new Map(
        [...published].map(([key, { sequence, ...v }]) => [key, sequence > 0 ? v : undefined]),
      );
      expect(Object.fromEntries(reached)).toEqual(Object.fromEntries(wanted));
      const keys = pages.flatMap((p) => [...p.upserts.map((v) => v.marketKey), ...p.withdrawn]);
      expect(new Set(keys).size).toBe(keys.length);
      expect(difference.unchanged + difference.upserts.length).toBe(wanted.size);
      expect(differenceOf(published, wanted)).toMatchObject({ upserts: [], withdrawn: [] });
    }),
  );
});

test("1,201 new values are three pages, and 501 withdrawn ones two more", () => {
  const many = new Map(Array.from({ length: 1_201 }, (_, n) => [`stone:${n}`, value(n, 1)]));
  const old = publish(
    new Map(Array.from({ length: 501 }, (_, n) => [`old:${n}`, { ...value(n, 1), marketKey: `old:${n}` }])),
  );
  const sizes = pagesOf(differenceOf(old, many)).map((p) => p.upserts.length + p.withdrawn.length);
  expect(sizes).toEqual([500, 500, 201, 500, 1]);
});

test("a base generation holds every value once, in parts that cover all buckets", () => {
  const values = [
    ...publish(new Map(Array.from({ length: 5_000 }, (_, n) => [`${n}`, value(n, 1)]))).values(),
  ];
  const { base, parts } = baseOf(values, { lineage: "abcdefghij0123456789", sequence: 9 }, new Date(0));
  expect(base.parts[0]?.firstBucket).toBe(0);
  expect(base.parts.at(-1)?.lastBucket).toBe(255);
  expect(parts.length).toBe(3);
  for (const part of parts) expect(part.values.length).toBeLessThanOrEqual(2_000);
  const keys = parts.flatMap((p) => p.values.map((v) => v.marketKey));
  expect(new Set(keys)).toEqual(new Set(values.map((v) => v.marketKey)));
  expect(keys.length).toBe(5_000);
});

test.each([
  ["none yet", { base: null, changedSinceBase: 0, values: 10 }, true],
  ["few changes", { base: 1, changedSinceBase: 9_999, values: 10 }, false],
  ["many changes", { base: 1, changedSinceBase: 10_000, values: 10 }, true],
  ["many changes of many more", { base: 1, changedSinceBase: 49_999, values: 100_000 }, false],
  ["half of all", { base: 1, changedSinceBase: 50_000, values: 100_000 }, true],
])("with %s, is it time for a base generation?", (_name, head, wanted) => {
  const rest = { lineage: "l", sequence: 2, publishedAt: "", writeId: "", oldestPage: 1 };
  expect(needsBase({ ...rest, ...head })).toBe(wanted);
});
