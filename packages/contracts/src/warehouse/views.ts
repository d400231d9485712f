import { bucketValue, priceBucket } from "./buckets.ts";
import type { DatasetRole } from "./tables.ts";

/** Groups of fewer people than this never leave their residency; one more is asked for, so that it still holds when somebody is taken out. */
export const minimumActors = 20;
/** A group is withheld when one tenant made more than this share of its rows: its figures would be that tenant's book. */
export const maximumShare = { of: 4, parts: 3 } as const;

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
 * A group's day is shown when enough people were active and no tenant dominates. A day with too few people is held
 * back and added to the group's next shown day; a dominated day is never shown. So two figures never differ by a
 * few people's changes, and no sum of mixed days can be dominated either.
 *
 * People are counted by the largest cell alone, never added up over cells: somebody known to two cells, or a tenant
 * that moved between them, must not be counted twice.
 */
const publishableFlow = `WITH flow AS (
  SELECT day, ${group},
    COUNT(*) AS row_count,
    SUM(events) AS events,
    SUM(IF(channel = 'import', events, 0)) AS import_events,
    COUNTIF(items_delta = 1) AS items_in,
    COUNTIF(items_delta = -1) AS items_out,
    SUM(market_delta) AS market_net
  FROM \`{raw}.events_once\`
  GROUP BY day, ${group}
), people_by_cell AS (
  SELECT day, ${group}, cell, COUNT(DISTINCT mark) AS headcount
  FROM \`{raw}.marks\`
  WHERE kind = 'actor'
  GROUP BY day, ${group}, cell
), people AS (
  SELECT day, ${group}, MAX(headcount) AS headcount
  FROM people_by_cell
  GROUP BY day, ${group}
), rows_by_tenant AS (
  SELECT day, ${group}, mark, SUM(weight) AS tenant_rows
  FROM \`{raw}.marks\`
  WHERE kind = 'tenant'
  GROUP BY day, ${group}, mark
), largest AS (
  SELECT day, ${group}, MAX(tenant_rows) AS largest_rows
  FROM rows_by_tenant
  GROUP BY day, ${group}
), mixed AS (
  SELECT flow.*, COALESCE(people.headcount, 0) AS headcount
  FROM flow
  LEFT JOIN people USING (day, ${group})
  LEFT JOIN largest USING (day, ${group})
  WHERE COALESCE(largest.largest_rows, 0) * ${maximumShare.of} <= flow.row_count * ${maximumShare.parts}
), dated AS (
  SELECT *, MIN(IF(headcount > ${minimumActors}, day, NULL)) OVER (
    PARTITION BY ${group} ORDER BY day ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
  ) AS shown_on
  FROM mixed
)
SELECT shown_on AS day, ${group},
  MAX(headcount) - MOD(MAX(headcount), 10) AS actors,
  SUM(events) AS events,
  SUM(import_events) AS import_events,
  SUM(items_in) AS items_in,
  SUM(items_out) AS items_out,
  SUM(market_net) AS market_net
FROM dated
WHERE shown_on IS NOT NULL
GROUP BY shown_on, ${group}`;

/*
 * Marks count within groups only, so a cell's whole day is judged by bounds: it has at least as many people as its
 * largest group, and no tenant has more rows than the largest tenants of all groups together.
 */
const publishableCellDays = `WITH volume AS (
  SELECT day, cell, region, COUNT(*) AS row_count, SUM(events) AS events
  FROM \`{raw}.events_once\`
  GROUP BY day, cell, region
), people_by_group AS (
  SELECT day, cell, ${group}, COUNT(DISTINCT mark) AS headcount
  FROM \`{raw}.marks\`
  WHERE kind = 'actor'
  GROUP BY day, cell, ${group}
), people AS (
  SELECT day, cell, MAX(headcount) AS headcount
  FROM people_by_group
  GROUP BY day, cell
), rows_by_tenant AS (
  SELECT day, cell, ${group}, mark, SUM(weight) AS tenant_rows
  FROM \`{raw}.marks\`
  WHERE kind = 'tenant'
  GROUP BY day, cell, ${group}, mark
), largest_by_group AS (
  SELECT day, cell, ${group}, MAX(tenant_rows) AS largest_rows
  FROM rows_by_tenant
  GROUP BY day, cell, ${group}
), largest AS (
  SELECT day, cell, SUM(largest_rows) AS largest_rows
  FROM largest_by_group
  GROUP BY day, cell
)
SELECT volume.day AS day, volume.cell AS cell, volume.region AS region,
  CASE
    WHEN COALESCE(people.headcount, 0) <= ${minimumActors} THEN 'withheld'
    WHEN COALESCE(largest.largest_rows, 0) * ${maximumShare.of} > volume.row_count * ${maximumShare.parts} THEN 'withheld'
    WHEN volume.events < 100 THEN 'under 100'
    WHEN volume.events < 1000 THEN '100 to 1k'
    WHEN volume.events < 10000 THEN '1k to 10k'
    WHEN volume.events < 100000 THEN '10k to 100k'
    ELSE 'over 100k'
  END AS events_band
FROM volume
LEFT JOIN people USING (day, cell)
LEFT JOIN largest USING (day, cell)`;

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
  FROM \`{raw}.marks\`
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

const daily = `SELECT day, ${group}, events, import_events, items_in, items_out, market_net,
  items_in - items_out AS items_net,
  (items_in - items_out) * ${bucketCase} AS value_net
FROM \`{published}.flow\``;

const stock = `SELECT day, ${group},
  SUM(items_net) OVER (PARTITION BY ${group} ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS items,
  SUM(value_net) OVER (PARTITION BY ${group} ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS value
FROM \`{published}.daily\``;

/* Rounded to 5 percent, so that it does not say of one item whether it has a market value. */
const marketCoverage = `SELECT region, category, SUM(items_net) AS items,
  CASE
    WHEN SUM(market_net) <= 0 THEN 0
    WHEN SUM(market_net) >= SUM(items_net) THEN 100
    ELSE 5 * ROUND(20 * SAFE_DIVIDE(SUM(market_net), SUM(items_net)))
  END AS covered_percent
FROM \`{published}.daily\`
GROUP BY region, category
HAVING SUM(items_net) > 0`;

const importVolumes = `SELECT day, region, category, SUM(import_events) AS import_events, SUM(events) AS events
FROM \`{published}.flow\`
GROUP BY day, region, category`;

const cellsCompared = `SELECT freshness.cell AS cell, freshness.region AS region,
  cell_days.day AS day,
  COALESCE(cell_days.events_band, 'withheld') AS events_band,
  freshness.seen_at AS seen_at, freshness.lag_minutes AS lag_minutes
FROM \`{published}.freshness\` AS freshness
LEFT JOIN \`{published}.cell_days\` AS cell_days USING (cell)`;

const groupMeaning = {
  region: "Region of the cells",
  category: "What kind of thing",
  price_bucket: "Insured value, in steps of about two",
  currency: "Currency of the bucket and of values; nothing is converted",
};
const dayMeaning = { day: "UTC day on which the group had enough people" };

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
      planned_marks: "Rows for `marks`",
      arrived_marks: "Rows in `marks`",
    },
  },
  {
    dataset: "raw",
    name: "publishable_flow",
    description: "The groups that may leave the residency: all that is ever read from outside it.",
    query: publishableFlow,
    columns: { "…": "as in `flow`" },
  },
  {
    dataset: "raw",
    name: "publishable_cell_days",
    description: "How busy each cell was, as far as it may be told.",
    query: publishableCellDays,
    columns: { "…": "as in `cell_days`" },
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
      events: "Changes",
      import_events: "Of these, by imports",
      items_in: "Items that came",
      items_out: "Items that left",
      market_net: "Change of the number of items that name a market value",
      items_net: "Difference",
      value_net: "Difference in whole units of the currency; each item counts by its bucket's mean",
    },
  },
  {
    dataset: "published",
    name: "stock",
    description: "Items and value by group, as of each published day. What was withheld is not in it.",
    query: stock,
    columns: {
      ...dayMeaning,
      ...groupMeaning,
      items: "Items so far",
      value: "Their value in whole units of the currency, by bucket means",
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
    description: "How much of the flow came by import.",
    query: importVolumes,
    columns: {
      ...dayMeaning,
      region: groupMeaning.region,
      category: groupMeaning.category,
      import_events: "Changes by imports",
      events: "All changes",
    },
  },
  {
    dataset: "published",
    name: "cells_compared",
    description: "Each cell's order of magnitude by day, and when it was last heard of.",
    query: cellsCompared,
    columns: {
      cell: "Cell",
      region: groupMeaning.region,
      day: "UTC day; NULL when none was published yet",
      events_band: "Changes of the day, by order of magnitude",
      seen_at: "Last sign of life",
      lag_minutes: "Age of the oldest event that waited then",
    },
  },
];

/** A view's SQL with its datasets filled in. */
export function viewSql(view: WarehouseView, datasets: { raw: string; published: string }): string {
  return view.query.replaceAll("{raw}", datasets.raw).replaceAll("{published}", datasets.published);
}
