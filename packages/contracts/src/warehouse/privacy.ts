import { viewSql } from "./views.ts";

/**
 * The budget of a person and day, spent once by one query over the person's one row. Groups are shown by noisy figures alone:
 * an exact threshold would tell whether one more person was there. docs/adr/2026-12-01-noise-and-a-budget-for-what-is-published.md
 * has the figures behind these numbers.
 */
export const privacyBudget = { epsilon: 2, delta: 0.000_01 } as const;

/** Published when more people than this are left, as far as the noise lets one say, when the largest tenant is taken away. */
export const minimumBeside = 20;
/** Withheld when one tenant has more than this share of a group's people: the figures would be that tenant's book. */
export const maximumShare = { of: 4, parts: 3 } as const;

/** People count from this many days after their first change in the tenant: inventing them takes at least as long. */
export const defaultMinimumAgeDays = 7;

/** Sums of the query, each with the bounds of what one person adds to it. */
const sums = {
  beside: ["beside", 0, 1],
  by_import: ["by_import", 0, 1],
  items_in: ["items_in", 0, 1],
  items_out: ["items_out", 0, 1],
  market_net: ["market_delta", -1, 1],
} as const;

/** BigQuery gives each of n aggregates, and one more that decides which groups are large enough, epsilon / (n + 1). */
const aggregates = Object.keys(sums).length + 1;
/** Scale of the Laplace noise of each published figure, in people. */
export const noiseScale = (aggregates + 1) / privacyBudget.epsilon;
/** 95 of 100 published figures are no further than this from the true sum. */
export const publishedError = Math.ceil(noiseScale * Math.log(20));

/**
 * The query that spends a day's budget (GoogleSQL). Each run draws noise anew: run it once.
 * `raw`: the project and dataset of a residency.
 */
export function publicationSql(raw: string, day: string): string {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new Error("a day is YYYY-MM-DD");
  const columns = Object.entries(sums).map(
    ([name, [column, low, high]]) =>
      `SUM(${column}, contribution_bounds_per_group => (${low}, ${high})) AS ${name}`,
  );
  const { epsilon, delta } = privacyBudget;
  const query = `SELECT WITH DIFFERENTIAL_PRIVACY
  OPTIONS (epsilon = ${epsilon}, delta = ${delta.toFixed(5)}, max_groups_contributed = 1, privacy_unit_column = mark)
  region, category, price_bucket, currency,
  COUNT(*, contribution_bounds_per_group => (0, 1)) AS actors,
  ${columns.join(",\n  ")}
FROM \`{raw}.publishable_people\`
WHERE day = DATE '${day}'
GROUP BY region, category, price_bucket, currency`;
  return viewSql({ query }, { raw, published: "" });
}

/** Whether a group may be shown, by its noisy figures: nothing else is asked, so nothing else is told. */
export function isPublishable({ actors, beside }: { actors: number; beside: number }): boolean {
  return (
    beside > minimumBeside && beside * maximumShare.of >= actors * (maximumShare.of - maximumShare.parts)
  );
}
