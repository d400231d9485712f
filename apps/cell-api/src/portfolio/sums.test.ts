import { portfolio } from "@proveniq/contracts";
import type { PortfolioItem } from "@proveniq/db/tenant";
import fc from "fast-check";
import { expect, test } from "vitest";
import { someValue } from "../testing/centre.ts";
import { PortfolioSums } from "./sums.ts";

const asOf = "2026-11-23T10:00:00.000Z";
const replica = { sequence: 7, ageSeconds: 1 };
const value = { ...someValue(1, 500), sequence: 7 };
const eur = { ...value, currency: "EUR", medianMinor: 40 };

test("a book is counted by category and currency, and estimates follow the condition", () => {
  const sums = new PortfolioSums();
  sums.add({ category: "watch", insuredValue: { amountMinor: 100, currency: "USD" } }, value);
  sums.add(
    { category: "watch", condition: "poor", insuredValue: { amountMinor: 7, currency: "EUR" } },
    value,
  );
  sums.add({ category: "art" }, eur);
  sums.add({ category: "art", insuredValue: { amountMinor: 1, currency: "USD" } }, undefined);
  const counted = sums.portfolio(asOf, replica);
  expect(portfolio.parse(counted)).toEqual(counted);
  expect(counted).toMatchObject({
    items: 4,
    withMarketValue: 3,
    marketShare: 0.75,
    insured: [
      { currency: "EUR", items: 1, amountMinor: 7 },
      { currency: "USD", items: 2, amountMinor: 101 },
    ],
    market: [
      { currency: "EUR", items: 1, amountMinor: 40 },
      { currency: "USD", items: 2, amountMinor: 500 },
    ],
  });
  expect(counted.categories.map((c) => [c.category, c.items, c.marketShare])).toEqual([
    ["watch", 2, 1],
    ["art", 2, 0.5],
  ]);
});

test("an empty book has no share, and a sum beyond exact numbers is not stated", () => {
  expect(new PortfolioSums().portfolio(asOf, replica)).toMatchObject({
    items: 0,
    marketShare: null,
    insured: [],
  });
  const sums = new PortfolioSums();
  const most = {
    category: "art",
    insuredValue: { amountMinor: Number.MAX_SAFE_INTEGER, currency: "USD" },
  } as const;
  sums.add(most, undefined);
  expect(sums.portfolio(asOf, replica).insured[0]?.amountMinor).toBe(Number.MAX_SAFE_INTEGER);
  sums.add(most, undefined);
  expect(sums.portfolio(asOf, replica).insured).toEqual([{ currency: "USD", items: 2, amountMinor: null }]);
});

test("sums that were saved and restored in the middle end as those that were not", () => {
  const item = fc.record(
    {
      category: fc.constantFrom("art", "watch", "other"),
      condition: fc.constantFrom("new", "poor"),
      insuredValue: fc.record({ amountMinor: fc.nat(), currency: fc.constantFrom("USD", "EUR") }),
    },
    { requiredKeys: ["category"] },
  );
  fc.assert(
    fc.property(fc.array(item), fc.nat(), (given, at) => {
      const items = given as PortfolioItem[];
      const whole = new PortfolioSums();
      let parts = new PortfolioSums();
      for (const [n, one] of items.entries()) {
        const found = n % 3 === 0 ? undefined : n % 3 === 1 ? value : eur;
        whole.add(one, found);
        if (n === at % (items.length + 1)) parts = PortfolioSums.restore(parts.save());
        parts.add(one, found);
      }
      expect(parts.portfolio(asOf, replica)).toEqual(whole.portfolio(asOf, replica));
    }),
  );
});
