import type { MarketValue } from "@proveniq/contracts";
import { type Diamond, diamondKey } from "./diamonds.ts";

/** Fewer prices than this say nothing about a grade: it gets no value. */
export const leastSample = 5;

/**
 * Market values from what stones really fetched: the 10th, 50th and 90th percentile of the prices of each grade
 * that has at least five. See examples/market/README.md for the method. Sorted by key.
 */
export function valuesOf(stones: readonly Diamond[], asOf: string): MarketValue[] {
  const grades = Map.groupBy(stones, diamondKey);
  return [...grades]
    .filter(([, graded]) => graded.length >= leastSample)
    .map(([marketKey, graded]) => {
      const prices = graded.map((stone) => stone.priceMinor).sort((a, b) => a - b);
      return {
        marketKey,
        currency: "USD",
        medianMinor: percentile(prices, 50),
        p10Minor: percentile(prices, 10),
        p90Minor: percentile(prices, 90),
        sampleSize: prices.length,
        asOf,
      };
    })
    .sort((a, b) => (a.marketKey < b.marketKey ? -1 : 1));
}

/**
 * The p-th percentile of sorted numbers, interpolated between the two nearest ranks and rounded to a whole one
 * (R's type 7, the default of R, NumPy and spreadsheets).
 */
export function percentile(sorted: readonly number[], p: number): number {
  const rank = ((sorted.length - 1) * p) / 100;
  const low = sorted[Math.floor(rank)];
  const high = sorted[Math.ceil(rank)];
  if (low === undefined || high === undefined) throw new Error("no numbers, no percentile");
  return Math.round(low + (high - low) * (rank - Math.floor(rank)));
}
