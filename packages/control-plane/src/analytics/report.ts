import type { BigQuery } from "@google-cloud/bigquery";
import { publishedDataset } from "@proveniq/contracts/warehouse";
import { asRecords, queryWarehouse, type Value } from "./query.ts";

type Row = Record<string, Value>;

/** The global view at a glance, each part a query over the published dataset. */
export interface AnalyticsReport {
  /** Items and value by region, category and currency, as of the last published day; errors hold for 95 of 100 figures. */
  stock: Row[];
  /** The groups with the most items, by category and price bucket. */
  buckets: Row[];
  /** What came and went, by day and region. */
  flow: Row[];
  coverage: Row[];
  imports: Row[];
  cells: Row[];
}

const latest = `SELECT * FROM \`{d}.stock\` WHERE TRUE
  QUALIFY ROW_NUMBER() OVER (PARTITION BY region, category, price_bucket, currency ORDER BY day DESC) = 1`;

const queries: Record<keyof AnalyticsReport, string> = {
  stock: `SELECT region, category, currency, SUM(items) AS items, ROUND(SQRT(SUM(items_variance))) AS items_error,
    SUM(value) AS value, ROUND(SQRT(SUM(value_variance))) AS value_error, COUNT(*) AS price_groups
    FROM (${latest}) AS latest GROUP BY region, category, currency ORDER BY items DESC, region, category LIMIT 20`,
  buckets: `SELECT category, currency, price_bucket, SUM(items) AS items,
    ROUND(SQRT(SUM(items_variance))) AS items_error
    FROM (${latest}) AS latest GROUP BY category, currency, price_bucket ORDER BY items DESC, price_bucket LIMIT 20`,
  flow: `SELECT day, region, SUM(items_in) AS items_in, SUM(items_out) AS items_out, SUM(actors) AS actors,
    ROUND(SQRT(SUM(error * error))) AS error
    FROM \`{d}.daily\` GROUP BY day, region ORDER BY day DESC, region LIMIT 20`,
  coverage:
    "SELECT region, category, items, covered_percent FROM `{d}.market_coverage` ORDER BY items DESC LIMIT 20",
  imports: `SELECT region, SUM(by_import) AS by_import, SUM(actors) AS actors,
    ROUND(SQRT(SUM(error * error))) AS error
    FROM \`{d}.import_volumes\` GROUP BY region ORDER BY actors DESC`,
  cells: "SELECT cell, region, seen_at, lag_minutes FROM `{d}.freshness` ORDER BY cell",
};

/** Ask the published dataset everything that the report shows. */
export async function analyticsReport(bigquery: BigQuery, project: string): Promise<AnalyticsReport> {
  const parts = Object.entries(queries).map(async ([name, sql]) => {
    const result = await queryWarehouse(bigquery, sql.replaceAll("{d}", `${project}.${publishedDataset}`));
    return [name, asRecords(result)] as const;
  });
  return Object.fromEntries(await Promise.all(parts)) as Record<keyof AnalyticsReport, Row[]>;
}
