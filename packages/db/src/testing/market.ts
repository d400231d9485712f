import type { MarketValue } from "@proveniq/contracts";

/** The n-th of many keys, with a value around `medianMinor`. */
export function someValue(n: number, medianMinor: number): MarketValue {
  return {
    marketKey: `stone:grade-${n}`,
    currency: "USD",
    medianMinor,
    p10Minor: Math.floor(medianMinor * 0.8),
    p90Minor: Math.ceil(medianMinor * 1.3),
    sampleSize: 11,
    asOf: "2026-11-01",
  };
}
