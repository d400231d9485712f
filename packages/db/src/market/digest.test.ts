import type { PublishedValue } from "@proveniq/contracts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { someValue } from "../testing/market.ts";
import { BucketDigests, bucketOf } from "./digest.ts";

const value = fc
  .record({
    n: fc.nat(500),
    medianMinor: fc.integer({ min: 10, max: 1_000_000 }),
    sequence: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ n, medianMinor, sequence }): PublishedValue => ({ ...someValue(n, medianMinor), sequence }));

const digestsOf = (values: readonly PublishedValue[]) => {
  const digests = new BucketDigests();
  for (const v of values) digests.add(v);
  return digests;
};

test("digests do not depend on the order of values", () => {
  fc.assert(
    fc.property(
      fc.array(value).chain((v) => fc.tuple(fc.constant(v), fc.shuffledSubarray(v, { minLength: v.length }))),
      ([values, shuffled]) => {
        expect(digestsOf(values).differing(digestsOf(shuffled))).toEqual([]);
      },
    ),
  );
});

test("taking values out again leaves what was there before, and bytes keep it all", () => {
  fc.assert(
    fc.property(fc.array(value), fc.array(value), (kept, passing) => {
      const digests = digestsOf([...kept, ...passing]);
      for (const v of passing) digests.remove(v);
      const read = BucketDigests.fromBytes(digests.toBytes());
      expect(read.differing(digestsOf(kept))).toEqual([]);
    }),
  );
});

test.each<[string, Partial<PublishedValue>]>([
  ["median", { medianMinor: 10_001 }],
  ["sequence", { sequence: 8 }],
  ["day", { asOf: "2026-11-02" }],
  ["sample", { sampleSize: 12 }],
])("another %s is seen, in the bucket of its key and in no other", (_name, change) => {
  const one = { ...someValue(1, 10_000), sequence: 7 };
  const other = digestsOf([{ ...one, ...change }]);
  expect(digestsOf([one]).differing(other)).toEqual([bucketOf(one.marketKey)]);
});

test("the same value twice is not the same as none", () => {
  const one = { ...someValue(1, 10_000), sequence: 7 };
  expect(digestsOf([one, one]).differing(digestsOf([]))).toHaveLength(1);
});

test("a spoilt bucket equals no other", () => {
  const digests = new BucketDigests();
  digests.spoil(3, "x");
  expect(digests.differing(new BucketDigests())).toEqual([3]);
});

test("keys that look alike spread over the buckets", () => {
  const sizes = new Map<number, number>();
  for (let n = 0; n < 10_000; n++) {
    const bucket = bucketOf(someValue(n, 1).marketKey);
    sizes.set(bucket, (sizes.get(bucket) ?? 0) + 1);
  }
  expect(sizes.size).toBe(256);
  expect(Math.max(...sizes.values())).toBeLessThan(90);
});
