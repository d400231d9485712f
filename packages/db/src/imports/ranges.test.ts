import { expect, test } from "vitest";
import { itemIdFor } from "../items/ids.ts";
import { bucketOf, bucketsFor, lowestOf, rangesFor, shareOf, spreadOrder } from "./ranges.ts";
import { importedId } from "./rows.ts";

const ids = Array.from({ length: 2_000 }, (_, n) => importedId(`thing ${n}`)).sort();

test("the id of an imported thing is the one that entering it by hand makes", () => {
  for (const name of ["A", 'ä/1 "x"', "懐中時計"]) expect(importedId(name)).toBe(itemIdFor(name, undefined));
});

test.each([
  [1, 1],
  [3, 3],
  [3, 21],
  [8, 8],
  [32, 2_048],
])("%i buckets and %i ranges: each id lies in one range, in order, within its bucket", (buckets, ranges) => {
  let before = 0;
  for (const id of ids) {
    const range = shareOf(id, ranges);
    expect(range).toBeGreaterThanOrEqual(before);
    before = range;
    expect(id >= lowestOf(range, ranges) && id < lowestOf(range + 1, ranges)).toBe(true);
    expect(bucketOf(range, ranges, buckets)).toBe(shareOf(id, buckets));
  }
});

test("there are more ranges when buckets are large, always whole multiples", () => {
  expect(bucketsFor(undefined)).toBe(8);
  expect(bucketsFor(0)).toBe(1);
  expect(bucketsFor(10_000_000)).toBe(32);
  expect(rangesFor([0, 0, 0])).toBe(3);
  expect(rangesFor([5 * 1024 * 1024, 1])).toBe(6);
  expect(rangesFor(Array.from({ length: 32 }, () => 2 ** 40))).toBe(2_048);
});

test("every range is written once, neighbours apart", () => {
  expect(spreadOrder(10, 4)).toEqual([0, 3, 6, 9, 1, 4, 7, 2, 5, 8]);
  for (const ranges of [1, 3, 8, 100]) {
    const all = Array.from({ length: ranges }, (_, n) => n);
    expect(spreadOrder(ranges, 8).sort((a, b) => a - b)).toEqual(all);
  }
});
