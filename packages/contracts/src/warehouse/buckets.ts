import { z } from "zod";
import { currencyDigits, type Money } from "../money.ts";

/** Currencies that the warehouse tells apart. Nothing is converted: a rate of today says nothing about then. */
export const warehouseCurrency = z.enum(["USD", "EUR", "GBP", "CHF", "other", "none"]);
export type WarehouseCurrency = z.infer<typeof warehouseCurrency>;

/**
 * Bounds of the price buckets in major units of the item's own currency: from the lower bound up to, not
 * including, the next one. Three steps to a factor of ten: fine enough to sum, too coarse to know an item by.
 */
const bounds = [
  ["under-20", 0, 20],
  ["20-50", 20, 50],
  ["50-100", 50, 100],
  ["100-200", 100, 200],
  ["200-500", 200, 500],
  ["500-1k", 500, 1_000],
  ["1k-2k", 1_000, 2_000],
  ["2k-5k", 2_000, 5_000],
  ["5k-10k", 5_000, 10_000],
  ["10k-20k", 10_000, 20_000],
  ["20k-50k", 20_000, 50_000],
  ["50k-100k", 50_000, 100_000],
  ["100k-200k", 100_000, 200_000],
  ["200k-500k", 200_000, 500_000],
  ["500k-1m", 500_000, 1_000_000],
  ["from-1m", 1_000_000, Number.POSITIVE_INFINITY],
] as const;

/** `none`: the item has no insured value. `other`: a currency that the warehouse does not tell apart. */
export const priceBucket = z.enum([
  "none",
  "under-20",
  "20-50",
  "50-100",
  "100-200",
  "200-500",
  "500-1k",
  "1k-2k",
  "2k-5k",
  "5k-10k",
  "10k-20k",
  "20k-50k",
  "50k-100k",
  "100k-200k",
  "200k-500k",
  "500k-1m",
  "from-1m",
  "other",
]);
export type PriceBucket = z.infer<typeof priceBucket>;

/** Currency and bucket of an insured value. */
export function bucketOf(value: Money | undefined): { currency: WarehouseCurrency; bucket: PriceBucket } {
  if (value === undefined) return { currency: "none", bucket: "none" };
  const known = warehouseCurrency.exclude(["other", "none"]).safeParse(value.currency);
  const digits = currencyDigits(value.currency);
  if (!known.success || digits === undefined) return { currency: "other", bucket: "other" };
  const major = value.amountMinor / 10 ** digits;
  const found = bounds.find(([, , below]) => major < below);
  return { currency: known.data, bucket: found === undefined ? "from-1m" : found[0] };
}

/**
 * What one item of a bucket counts for in sums of value, in whole major units: the mean of a bucket whose values
 * are spread evenly over orders of magnitude, (b − a) / ln(b / a). The lowest counts by its middle, the open one
 * by its lower bound, so that it says "at least". `none` and `other` count nothing.
 */
export const bucketValue: Readonly<Record<PriceBucket, number>> = Object.fromEntries([
  ["none", 0],
  ["other", 0],
  ...bounds.map(([name, from, below]) => [
    name,
    Math.round(
      from === 0 ? below / 2 : Number.isFinite(below) ? (below - from) / Math.log(below / from) : from,
    ),
  ]),
]) as Record<PriceBucket, number>;
