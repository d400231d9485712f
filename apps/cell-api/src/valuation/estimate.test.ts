import { valuation } from "@proveniq/contracts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { someValue } from "../testing/centre.ts";
import { estimateMinor, valuationOf } from "./estimate.ts";

const value = { ...someValue(1), medianMinor: 1_000, p10Minor: 601, p90Minor: 2_001, sequence: 7 };

test.each([
  ["new", 2_001],
  ["excellent", 1_501],
  ["good", 1_000],
  [undefined, 1_000],
  ["fair", 801],
  ["poor", 601],
] as const)("a thing in condition %s is estimated at %i", (condition, amountMinor) => {
  expect(estimateMinor(value, condition)).toBe(amountMinor);
  const answer = valuationOf(value, condition);
  expect(valuation.parse(answer)).toEqual(answer);
  expect(answer).toMatchObject({ estimate: { amountMinor, currency: "USD" }, condition: condition ?? null });
  expect(answer.market).toMatchObject({ medianMinor: 1_000, asOf: "2026-11-01", sequence: 7 });
});

test("an estimate is a whole number within the observed spread, and better is never worth less", () => {
  const amount = fc.nat(Number.MAX_SAFE_INTEGER);
  fc.assert(
    fc.property(amount, amount, amount, (a, b, c) => {
      const [p10Minor = 0, medianMinor = 0, p90Minor = 0] = [a, b, c].sort((x, y) => x - y);
      const estimates = (["poor", "fair", "good", "excellent", "new"] as const).map((condition) =>
        estimateMinor({ p10Minor, medianMinor, p90Minor }, condition),
      );
      expect(estimates.every(Number.isSafeInteger)).toBe(true);
      expect(estimates).toEqual(estimates.toSorted((x, y) => x - y));
      expect([estimates[0], estimates[4]]).toEqual([p10Minor, p90Minor]);
    }),
  );
});
