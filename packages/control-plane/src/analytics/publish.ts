import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { BigQuery } from "@google-cloud/bigquery";
import { residency } from "@proveniq/contracts";
import {
  publishedDataset,
  rawDataset,
  type WarehouseTable,
  warehouseTable,
} from "@proveniq/contracts/warehouse";
import { asRecords, queryWarehouse } from "./query.ts";

export interface Published {
  /** Days that were published now, oldest first. */
  days: string[];
  /** Groups that crossed, over all of those days. */
  groups: number;
}

export interface PublishOptions {
  /** A day is published when it is over and every cell has sent all of it; after two days without those that have not. */
  now?: Date;
  /**
   * Publish today as well, again and again. For trying things out: two versions of one day can be compared, and their
   * difference may be a single person's doing.
   */
  openDay?: boolean;
}

/** A day that could not be published is looked at again for this long. */
const lookBackDays = 7;
const dayMs = 86_400_000;
const waitMs = 2 * dayMs;

/**
 * Let cross into the global view what may: of each residency only its `publishable_…` views are read, and each day is written
 * once, as a whole. Days that have something published are left alone.
 */
export async function publishWarehouse(
  bigquery: BigQuery,
  project: string,
  options: PublishOptions = {},
): Promise<Published> {
  const { now = new Date(), openDay = false } = options;
  const today = now.toISOString().slice(0, 10);
  const first = new Date(now.getTime() - lookBackDays * dayMs).toISOString().slice(0, 10);
  const fresh = await everywhere(bigquery, project, "publishable_freshness");
  const sentUntil = Math.min(
    ...fresh.map((r) => Date.parse(String(r["seen_at"])) - Number(r["lag_minutes"]) * 60_000),
  );
  const done = await publishedDays(bigquery, project);
  const wanted = (day: string): boolean => {
    const end = Date.parse(day) + dayMs;
    if (openDay && day <= today && end > sentUntil) return true;
    return day >= first && !done.has(day) && (end <= sentUntil || end + waitMs < now.getTime());
  };

  const dayOf = (row: Row) => String(row["day"]);
  const flow = (await everywhere(bigquery, project, "publishable_flow")).filter((r) => wanted(dayOf(r)));
  const cellDays = (await everywhere(bigquery, project, "publishable_cell_days")).filter((r) =>
    wanted(dayOf(r)),
  );
  const days = [...new Set([...flow, ...cellDays].map(dayOf))].sort();
  for (const day of days) {
    const rows = (of: Row[]) => of.filter((r) => dayOf(r) === day);
    await replace(bigquery, warehouseTable("published", "flow"), rows(flow), day);
    await replace(bigquery, warehouseTable("published", "cell_days"), rows(cellDays), day);
  }
  await replace(bigquery, warehouseTable("published", "freshness"), fresh);
  return { days, groups: flow.length };
}

/** A day's cells are written last, so a day that they name is whole. */
async function publishedDays(bigquery: BigQuery, project: string): Promise<Set<unknown>> {
  const sql = `SELECT DISTINCT day FROM \`${project}.${publishedDataset}.cell_days\``;
  return new Set(asRecords(await queryWarehouse(bigquery, sql)).map((r) => r["day"]));
}

type Row = Record<string, unknown>;

/** A publishable view of every residency, one after the other: no query reads two locations. */
async function everywhere(bigquery: BigQuery, project: string, view: string): Promise<Row[]> {
  const found: Row[] = [];
  for (const place of residency.options) {
    const sql = `SELECT * FROM \`${project}.${rawDataset(place)}.${view}\``;
    found.push(...asRecords(await queryWarehouse(bigquery, sql)));
  }
  return found;
}

/** Put rows in the place of a day, or of the whole table; checked against its schema, and whole or not at all. */
async function replace(bigquery: BigQuery, table: WarehouseTable, rows: Row[], day?: string): Promise<void> {
  const lines = rows.map((row) => `${JSON.stringify(table.row.parse(row))}\n`);
  const id = day === undefined ? table.name : `${table.name}$${day.replaceAll("-", "")}`;
  const upload = bigquery.dataset(publishedDataset).table(id).createWriteStream({
    sourceFormat: "NEWLINE_DELIMITED_JSON",
    writeDisposition: "WRITE_TRUNCATE",
  });
  const loaded = new Promise<void>((resolve, reject) => {
    upload.once("complete", () => resolve());
    upload.once("error", reject);
  });
  await Promise.all([pipeline(Readable.from(lines), upload), loaded]);
}
