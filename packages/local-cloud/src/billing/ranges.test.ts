import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KeyRanges } from "./ranges.ts";
import { textValue, type Value } from "./values.ts";

const time = (micros: number): Value => ({ rank: 3, key: micros, bytes: 8 });

/** Write keys evenly, so many a second, for some seconds. */
function written(key: (n: number) => Value[], rate: number, seconds: number) {
  const ranges = new KeyRanges();
  for (let n = 0; n < rate * seconds; n++) ranges.touch("items(o, t desc)", key(n), (1_000 * n) / rate);
  return ranges.hot();
}

describe("KeyRanges", () => {
  const random = (n: number) => textValue(String((n * 2_654_435_761) % 4_294_967_296).padStart(10, "0"));
  test.each([
    { what: "times of one owner", key: (n: number) => [textValue("one"), time(n)], hot: true },
    { what: "times that many share", key: (n: number) => [textValue("one"), time(n - (n % 400))], hot: true },
    { what: "times that go back", key: (n: number) => [textValue("one"), time(-n)], hot: true },
    { what: "times of many owners", key: (n: number) => [random(n % 997), time(n)], hot: false },
    { what: "ids that count up", key: (n: number) => [textValue(String(n).padStart(9, "0"))], hot: true },
    { what: "random ids", key: (n: number) => [random(n)], hot: false },
    { what: "one value for all", key: () => [textValue("art")], hot: false },
  ])("$what: hot is $hot", ({ key, hot }) => {
    expect(written(key, 2_000, 6).length > 0).toBe(hot);
  });

  test("says where and how many", () => {
    expect(written((n) => [textValue("one"), time(n)], 2_000, 6)).toEqual([
      { space: "items(o, t desc)", prefix: ["one"], end: "high", writesPerSecond: 2_000 },
    ]);
  });

  test("a growing end bears 500 writes a second, whatever the rate, and no more", () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 1_500 }), (rate) => {
        expect(written((n) => [time(n)], rate, 5).length > 0).toBe(rate > 500);
      }),
      { numRuns: 40 },
    );
  });

  test("a burst that fits into one second is no heat, nor is anything after a reset", () => {
    const ranges = new KeyRanges();
    for (let n = 0; n < 5; n++) ranges.touch("s", [time(n)], 0);
    for (let n = 0; n < 5_000; n++) ranges.touch("s", [time(10 + n)], 1_500);
    ranges.touch("s", [time(99_999)], 4_000);
    expect(ranges.hot()).toEqual([]);
  });
});
