import { expect, test } from "vitest";
import { bar, grouped } from "./bars.ts";

test.each([
  [0, 10, ""],
  [-3, 10, ""],
  [10, 10, "████"],
  [5, 10, "██"],
  [1, 1_000_000, "▏"],
  [20, 10, "████"],
  [3, 0, ""],
])("bar of %s in %s", (value, largest, wanted) => {
  expect(bar(value, largest, 4)).toBe(wanted);
});

test("numbers are grouped by three", () => {
  expect([0, 999, 1_000, 1_234_567, -1_234].map(grouped)).toEqual([
    "0",
    "999",
    "1 000",
    "1 234 567",
    "-1 234",
  ]);
});
