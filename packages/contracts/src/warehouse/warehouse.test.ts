import fc from "fast-check";
import { expect, test } from "vitest";
import { currencyCodes } from "../money.ts";
import { bucketOf, bucketValue, priceBucket, warehouseTables, warehouseViews } from "./index.ts";

test.each([
  [undefined, "none", "none"],
  [{ amountMinor: 0, currency: "USD" }, "USD", "under-20"],
  [{ amountMinor: 1_999, currency: "USD" }, "USD", "under-20"],
  [{ amountMinor: 2_000, currency: "USD" }, "USD", "20-50"],
  [{ amountMinor: 32_600, currency: "EUR" }, "EUR", "200-500"],
  [{ amountMinor: 99_999_999, currency: "CHF" }, "CHF", "500k-1m"],
  [{ amountMinor: 100_000_000, currency: "GBP" }, "GBP", "from-1m"],
  [{ amountMinor: Number.MAX_SAFE_INTEGER, currency: "GBP" }, "GBP", "from-1m"],
  [{ amountMinor: 32_600, currency: "JPY" }, "other", "other"],
  [{ amountMinor: 32_600, currency: "???" }, "other", "other"],
] as const)("%o counts in %s %s", (value, currency, bucket) => {
  expect(bucketOf(value)).toEqual({ currency, bucket });
});

test("every value has a bucket, and a higher value never a lower one", () => {
  const order = priceBucket.options;
  const amount = fc.nat({ max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(amount, amount, fc.constantFrom(...currencyCodes), (a, b, currency) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      const at = (amountMinor: number) => order.indexOf(bucketOf({ amountMinor, currency }).bucket);
      expect(at(low)).toBeLessThanOrEqual(at(high));
    }),
  );
});

test("sums by bucket are right for values spread evenly over orders of magnitude", () => {
  let exact = 0;
  let estimate = 0;
  for (let n = 0; n < 30_000; n++) {
    const major = 20 * 10 ** ((4 * (n + 0.5)) / 30_000);
    exact += major;
    estimate += bucketValue[bucketOf({ amountMinor: Math.round(major * 100), currency: "USD" }).bucket];
  }
  expect(Math.abs(estimate / exact - 1)).toBeLessThan(0.01);
});

test("tables and views are described, named once, and views read only what comes before them", () => {
  const known = new Set(warehouseTables.map((t) => `${t.dataset}.${t.name}`));
  expect(known.size).toBe(warehouseTables.length);
  for (const t of warehouseTables) expect(t.columns.every((c) => c.description.length > 2)).toBe(true);
  for (const view of warehouseViews) {
    const sources = [...view.query.matchAll(/`\{(raw|published)\}\.([a-z_]+)`/g)].map(
      ([, d, t]) => `${d}.${t}`,
    );
    expect(sources.filter((s) => !known.has(s))).toEqual([]);
    expect(sources.filter((s) => !s.startsWith(view.dataset))).toEqual([]);
    known.add(`${view.dataset}.${view.name}`);
  }
});
