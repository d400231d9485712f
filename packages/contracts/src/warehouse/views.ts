import { bucketValue, priceBucket } from "./buckets.ts";
import { publicTenant } from "./rows.ts";
import type { DatasetRole } from "./tables.ts";

export interface WarehouseView {
  dataset: DatasetRole;
  name: string;
  description: string;
  /** GoogleSQL. `{raw}` and `{published}` stand for the datasets. */
  query: string;
  /** What each column says. */
  columns: Record<string, string>;
}

const group = "region, category, price_bucket, currency";

/** Kept to what BigQuery and the local stand-in read alike: a stored day, COUNT, SUM, MIN, MAX, windows, QUALIFY. */
const eventsOnce = `SELECT *
FROM \`{raw}.events\`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY day, row_id) = 1`;

/*
 * One row for each person and day, however often it was sent, and whether the person is left when the largest tenant of
 * the group is taken away: of each cell the largest, so that a tenant that moved that day does not count as two. Taking
 * one person out changes the number of those left by one at most, as it changes every other sum here. The cell's own
 * consumers are nobody's book.
 */
const publishablePeople = `WITH once AS (
  SELECT * FROM \`{raw}.people\`
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (
    PARTITION BY day, cell, mark ORDER BY category, price_bucket, currency, items_in, items_out, by_import, market_delta
  ) = 1
), sizes AS (
  SELECT day, cell, ${group}, tenant, COUNT(*) AS people
  FROM once
  WHERE tenant != '${publicTenant}'
  GROUP BY day, cell, ${group}, tenant
), largest AS (
  SELECT day, cell, ${group}, tenant AS largest_tenant
  FROM sizes
  WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY day, cell, ${group} ORDER BY people DESC, tenant) = 1
)
SELECT day, ${group}, mark, items_in, items_out, by_import, market_delta,
  IF(tenant = largest_tenant, 0, 1) AS beside
FROM once
LEFT JOIN largest USING (day, cell, ${group})`;

const publishableFreshness = `SELECT cell, region, seen_at, lag_minutes
FROM \`{raw}.heartbeats\`
WHERE TRUE
QUALIFY ROW_NUMBER() OVER (PARTITION BY cell ORDER BY seen_at DESC) = 1`;

const deliveries = `WITH planned AS (
  SELECT cell, COUNT(*) AS plans, SUM(events) AS events, SUM(event_rows) AS event_rows, SUM(mark_rows) AS mark_rows
  FROM (
    SELECT * FROM \`{raw}.plans\` WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY plan_id) = 1
  ) AS plans_once
  GROUP BY cell
), arrived AS (
  SELECT cell, COUNT(*) AS event_rows, COUNT(DISTINCT row_id) AS distinct_rows, SUM(events) AS events
  FROM \`{raw}.events\`
  GROUP BY cell
), marked AS (
  SELECT cell, COUNT(*) AS mark_rows
  FROM \`{raw}.people\`
  GROUP BY cell
)
SELECT cell,
  COALESCE(planned.plans, 0) AS plans,
  COALESCE(planned.events, 0) AS planned_events,
  COALESCE(arrived.events, 0) AS arrived_events,
  COALESCE(planned.event_rows, 0) AS planned_rows,
  COALESCE(arrived.event_rows, 0) AS arrived_rows,
  COALESCE(arrived.distinct_rows, 0) AS distinct_rows,
  COALESCE(planned.mark_rows, 0) AS planned_marks,
  COALESCE(marked.mark_rows, 0) AS arrived_marks
FROM planned
FULL OUTER JOIN arrived USING (cell)
FULL OUTER JOIN marked USING (cell)`;

/** Value by bucket, in SQL: the same figures as `bucketValue`. */
const bucketCase = `CASE price_bucket ${priceBucket.options
  .filter((name) => bucketValue[name] > 0)
  .map((name) => `WHEN '${name}' THEN ${bucketValue[name]}`)
  .join(" ")} ELSE 0 END`;

const daily = `SELECT day, ${group}, actors, by_import, items_in, items_out, market_net, error,
  items_in - items_out AS items_net,
  (items_in - items_out) * ${bucketCase} AS value_net,
  2 * error * error AS net_variance,
  2 * error * error * ${bucketCase} * ${bucketCase} AS value_variance
FROM \`{published}.flow\``;

const window = `OVER (PARTITION BY ${group} ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`;
const stock = `SELECT day, ${group},
  SUM(items_net) ${window} AS items,
  SUM(value_net) ${window} AS value,
  SUM(net_variance) ${window} AS items_variance,
  SUM(value_variance) ${window} AS value_variance
FROM \`{published}.daily\``;

/* Rounded to 5 percent: the noise allows no more. */
const marketCoverage = `SELECT region, category, SUM(items_net) AS items,
  CASE
    WHEN SUM(market_net) <= 0 THEN 0
    WHEN SUM(market_net) >= SUM(items_net) THEN 100
    ELSE 5 * ROUND(20 * SAFE_DIVIDE(SUM(market_net), SUM(items_net)))
  END AS covered_percent
FROM \`{published}.daily\`
GROUP BY region, category
HAVING SUM(items_net) > 0`;

const importVolumes = `SELECT day, region, category, SUM(by_import) AS by_import, SUM(actors) AS actors,
  ROUND(SQRT(SUM(error * error))) AS error
FROM \`{published}.flow\`
GROUP BY day, region, category`;

const groupMeaning = {
  region: "Region of the cells",
  category: "What kind of thing",
  price_bucket: "Insured value, in steps of about two",
  currency: "Currency of the bucket and of values; nothing is converted",
};
const dayMeaning = { day: "UTC day" };

/** Every view, in an order in which each one's sources exist before it. */
export const warehouseViews: readonly WarehouseView[] = [
  {
    dataset: "raw",
    name: "events_once",
    description: "`events` with rows that were sent twice shown once: a second net behind exact offsets.",
    query: eventsOnce,
    columns: { "…": "as in `events`" },
  },
  {
    dataset: "raw",
    name: "deliveries",
    description: "What cells planned beside what arrived; every pair must be equal.",
    query: deliveries,
    columns: {
      cell: "Cell",
      plans: "Deliveries",
      planned_events: "Domain events in them",
      arrived_events: "Domain events that the rows in `events` count",
      planned_rows: "Rows for `events`",
      arrived_rows: "Rows in `events`",
      distinct_rows: "Of these, different ones",
      planned_marks: "Rows for `people`",
      arrived_marks: "Rows in `people`",
    },
  },
  {
    dataset: "raw",
    name: "publishable_people",
    description:
      "One row for each person and day. Read by the one query with differential privacy whose sums leave the residency.",
    query: publishablePeople,
    columns: {
      day: "UTC day",
      ...groupMeaning,
      mark: "The unit of privacy",
      items_in: "As in `people`",
      items_out: "As in `people`",
      by_import: "As in `people`",
      market_delta: "As in `people`",
      beside: "1 for those who are left when the largest tenant of the group and cell is taken away",
    },
  },
  {
    dataset: "raw",
    name: "publishable_freshness",
    description: "The last sign of life of each cell.",
    query: publishableFreshness,
    columns: { "…": "as in `freshness`" },
  },
  {
    dataset: "published",
    name: "daily",
    description: "Flow of items and value by day and group.",
    query: daily,
    columns: {
      ...dayMeaning,
      ...groupMeaning,
      actors: "People who changed something, each once a day",
      by_import: "Of these, by an import",
      items_in: "People who brought an item",
      items_out: "People who took one out",
      market_net: "Change of the number of these items that name a market value",
      error: "95 of 100 of these figures are no further than this from the true sum",
      items_net: "Items that came less those that left",
      value_net: "The same in whole units of the currency; each item counts by its bucket's mean",
      net_variance: "Square of the error of `items_net`; squares of several rows may be added up",
      value_variance: "Square of the error of `value_net`",
    },
  },
  {
    dataset: "published",
    name: "stock",
    description: "Items and value by group, as of each published day. What was not published is not in it.",
    query: stock,
    columns: {
      ...dayMeaning,
      ...groupMeaning,
      items: "Items so far",
      value: "Their value in whole units of the currency, by bucket means",
      items_variance: "Square of the error of `items`; squares of several groups may be added up",
      value_variance: "Square of the error of `value`",
    },
  },
  {
    dataset: "published",
    name: "market_coverage",
    description: "How many of the items name a market value, in steps of 5 percent.",
    query: marketCoverage,
    columns: {
      region: groupMeaning.region,
      category: groupMeaning.category,
      items: "Items so far",
      covered_percent: "Of these, with a market value, in percent",
    },
  },
  {
    dataset: "published",
    name: "import_volumes",
    description: "How many people's changes came by import.",
    query: importVolumes,
    columns: {
      ...dayMeaning,
      region: groupMeaning.region,
      category: groupMeaning.category,
      by_import: "People whose change came by an import",
      actors: "All people who changed something",
      error: "95 of 100 of these figures are no further than this from the true sum",
    },
  },
];

/** A view's SQL with its datasets filled in. */
export function viewSql(
  view: Pick<WarehouseView, "query">,
  datasets: { raw: string; published: string },
): string {
  return view.query.replaceAll("{raw}", datasets.raw).replaceAll("{published}", datasets.published);
}
