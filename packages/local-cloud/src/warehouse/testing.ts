import type { BigQuery } from "@google-cloud/bigquery";
import { createWarehouse, openWarehouse } from "@proveniq/control-plane/analytics";
import { type LocalWarehouse, startWarehouse } from "./index.ts";

export const project = "proveniq-central";

/** A warehouse with all its tables, and Google's client of it. */
export async function openScene(): Promise<{ warehouse: LocalWarehouse; bigquery: BigQuery }> {
  const warehouse = await startWarehouse();
  const bigquery = openWarehouse({ project, endpoint: warehouse.restUrl });
  await createWarehouse(bigquery, project, { eu: "europe-west1", us: "us-central1", global: "us-central1" });
  return { warehouse, bigquery };
}

/** Somebody's first change of a day, as the anonymiser would tell it. Letters stand for people and tenants. */
export interface Change {
  day: string;
  cell?: string;
  person: string;
  /** None: the cell's own consumers. */
  tenant?: string;
  category?: string;
  items?: -1 | 0 | 1;
}

const name = (text: string) =>
  text
    .replaceAll(/[^A-Za-z0-9]/g, "_")
    .padEnd(22, "_")
    .slice(0, 22);

/** Rows of `people`, as a cell sends them. */
export function rowsOf(dataset: string, changes: readonly Change[]): Record<string, unknown>[] {
  const region = dataset === "raw_eu" ? "europe-west1" : "us-central1";
  return changes.map(({ day, cell = "aa", person, tenant, category = "art", items = 1 }) => ({
    day,
    cell,
    region,
    category,
    price_bucket: "200-500",
    currency: "EUR",
    mark: name(`${person}_${tenant ?? ""}_${cell}${day.slice(5)}`),
    tenant: tenant === undefined ? "public" : name(`T${tenant}_${category}_${cell}`),
    items_in: items === 1 ? 1 : 0,
    items_out: items === -1 ? 1 : 0,
    by_import: 0,
    market_delta: 0,
  }));
}

export async function send(bigquery: BigQuery, dataset: string, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return;
  const rows = rowsOf(dataset, changes).map((json) => ({ json }));
  await bigquery.dataset(dataset).table("people").insert(rows, { raw: true });
}

export const people = (count: number, more: Omit<Change, "person">, prefix = "p"): Change[] =>
  Array.from({ length: count }, (_, n) => ({ ...more, person: `${prefix}${n}` }));

/** A cell's sign of life. */
export async function heard(
  bigquery: BigQuery,
  dataset: string,
  cell: string,
  at: string,
  lag = 0,
): Promise<void> {
  const region = dataset === "raw_eu" ? "europe-west1" : "us-central1";
  await bigquery
    .dataset(dataset)
    .table("heartbeats")
    .insert([{ day: at.slice(0, 10), cell, region, seen_at: at, lag_minutes: lag }]);
}
