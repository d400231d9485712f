import type { PublishedValue, Valuation } from "@proveniq/contracts";

type Condition = NonNullable<Valuation["condition"]>;

/**
 * The rule `condition-spread-1`: how far towards the 90th percentile (above 0) or the 10th (below 0) a thing of
 * this condition lies from the median. What sells is of all conditions, so the spread of prices is the measure.
 */
const positions: Readonly<Record<Condition, number>> = {
  new: 1,
  excellent: 0.5,
  good: 0,
  fair: -0.5,
  poor: -1,
};

/** The market value adjusted to a condition, in minor units. An unknown condition counts as the median. */
export function estimateMinor(
  { medianMinor, p10Minor, p90Minor }: Pick<PublishedValue, "medianMinor" | "p10Minor" | "p90Minor">,
  condition: Condition | undefined,
): number {
  const position = condition === undefined ? 0 : positions[condition];
  const reach = position > 0 ? p90Minor - medianMinor : medianMinor - p10Minor;
  return medianMinor + Math.round(position * reach);
}

export function valuationOf(value: PublishedValue, condition: Condition | undefined): Valuation {
  const { marketKey: _, ...market } = value;
  return {
    market,
    estimate: { amountMinor: estimateMinor(value, condition), currency: value.currency },
    condition: condition ?? null,
    rule: "condition-spread-1",
  };
}
