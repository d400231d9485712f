import { expect, test } from "vitest";
import { baseGeneration, changePage, marketLimits, marketValue, publishedValue } from "./market.ts";

const value = {
  marketKey: "diamond:ideal:e:si2:0.20-0.39",
  currency: "USD",
  medianMinor: 53600,
  p10Minor: 41250,
  p90Minor: 81100,
  sampleSize: 51,
  asOf: "2026-11-01",
};

test("a market value is accepted as it is", () => {
  expect(marketValue.parse(value)).toEqual(value);
  expect(publishedValue.parse({ ...value, sequence: 7 })).toEqual({ ...value, sequence: 7 });
});

test.each<[string, unknown]>([
  ["a key with capitals", { ...value, marketKey: "Diamond" }],
  ["an unknown field", { ...value, meanMinor: 1 }],
  ["a median below its p10", { ...value, medianMinor: 41249 }],
  ["a median above its p90", { ...value, medianMinor: 81101 }],
  ["a fraction of a cent", { ...value, medianMinor: 53600.5 }],
  ["negative money", { ...value, p10Minor: -1 }],
  ["no sample", { ...value, sampleSize: 0 }],
  ["a currency that is none", { ...value, currency: "XXX" }],
  ["a day that is none", { ...value, asOf: "2026-02-30" }],
  ["a time instead of a day", { ...value, asOf: "2026-11-01T00:00:00Z" }],
])("a value with %s is refused", (_name, wrong) => {
  expect(marketValue.safeParse(wrong).success).toBe(false);
});

const page = {
  lineage: "abcdefghij0123456789",
  sequence: 1,
  publishedAt: "2026-11-23T10:00:00.000Z",
  upserts: [value],
  withdrawn: ["watch:a"],
};

test.each<[string, unknown, boolean]>([
  ["an update and a tombstone", page, true],
  ["nothing in it", { ...page, upserts: [], withdrawn: [] }, false],
  ["one key twice", { ...page, withdrawn: [value.marketKey] }, false],
  ["sequence 0", { ...page, sequence: 0 }, false],
  ["501 changes", { ...page, upserts: [], withdrawn: Array.from({ length: 501 }, (_, n) => `k${n}`) }, false],
])("a page with %s: accepted is %s", (_name, candidate, fine) => {
  expect(changePage.safeParse(candidate).success).toBe(fine);
});

const part = (firstBucket: number, lastBucket: number) => ({ firstBucket, lastBucket, values: 1 });
const last = marketLimits.buckets - 1;

test.each<[string, ReturnType<typeof part>[], boolean]>([
  ["one part", [part(0, last)], true],
  ["two parts", [part(0, 9), part(10, last)], true],
  ["a gap", [part(0, 9), part(11, last)], false],
  ["an overlap", [part(0, 9), part(9, last)], false],
  ["no end", [part(0, 9)], false],
  ["no parts", [], false],
])("a base generation with %s", (_name, parts, fine) => {
  const base = { lineage: page.lineage, sequence: 9, createdAt: page.publishedAt, values: 1, parts };
  expect(baseGeneration.safeParse(base).success).toBe(fine);
});
