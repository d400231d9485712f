import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { BigQuery } from "@google-cloud/bigquery";
import { residency } from "@proveniq/contracts";
import {
  type FlowRow,
  isPublishable,
  privacyBudget,
  publicationSql,
  publishedDataset,
  publishedError,
  type ReleaseRow,
  rawDataset,
  type WarehouseTable,
  warehouseTable,
} from "@proveniq/contracts/warehouse";
import { asRecords, queryWarehouse } from "./query.ts";

export interface Published {
  /** Days whose budget was spent now, oldest first, whether or not a group was large enough. */
  days: string[];
  /** Groups that crossed, over all of those days. */
  groups: number;
}

export interface PublishOptions {
  /** A day is published when it is over and every cell has sent all of it; after two days without those that have not. */
  now?: Date;
  /**
   * Publish today as well, again and again, each time with new noise and beside the budget. For trying things out: enough
   * versions of one day give its true sums away.
   */
  openDay?: boolean;
}

/** A day that could not be published is looked at again for this long. */
const lookBackDays = 7;
const dayMs = 86_400_000;
const waitMs = 2 * dayMs;
const flow = warehouseTable("published", "flow");
const releases = warehouseTable("published", "releases");

/**
 * Let cross into the global view what may: sums with noise, by one query a day in each residency. The day's budget is written
 * down as spent before the noise is drawn, so that it is never drawn twice: a job that dies in between loses the day.
 */
export async function publishWarehouse(
  bigquery: BigQuery,
  project: string,
  options: PublishOptions = {},
): Promise<Published> {
  const { now = new Date(), openDay = false } = options;
  const fresh = await everywhere(
    bigquery,
    (raw) => `SELECT * FROM \`${project}.${raw}.publishable_freshness\``,
  );
  const spent = await releasedDays(bigquery, project);
  const days: string[] = [];
  let groups = 0;
  for (const day of finishedDays(fresh, now)) {
    if (spent.has(day) || !(await spend(bigquery, day, now))) continue;
    const rows = await draw(bigquery, project, day);
    // Who spent the budget writes the day, and nobody else ever does: what an open day left there goes.
    await load(bigquery, flow, rows, { day, when: "WRITE_TRUNCATE" });
    days.push(day);
    groups += rows.length;
  }
  if (openDay) {
    const today = now.toISOString().slice(0, 10);
    const rows = await draw(bigquery, project, today);
    await load(bigquery, flow, rows, { day: today, when: "WRITE_TRUNCATE" });
    days.push(today);
    groups += rows.length;
  }
  await load(bigquery, warehouseTable("published", "freshness"), fresh, { when: "WRITE_TRUNCATE" });
  return { days, groups };
}

/** Days of the last week that are over and that every cell has sent all of, oldest first. */
function finishedDays(fresh: readonly Row[], now: Date): string[] {
  const sentUntil = Math.min(
    ...fresh.map((r) => Date.parse(String(r["seen_at"])) - Number(r["lag_minutes"]) * 60_000),
  );
  const today = Math.floor(now.getTime() / dayMs) * dayMs;
  return Array.from({ length: lookBackDays }, (_, n) => today - (lookBackDays - n) * dayMs)
    .filter((begin) => {
      const end = begin + dayMs;
      return (fresh.length > 0 && end <= sentUntil) || end + waitMs < now.getTime();
    })
    .map((begin) => new Date(begin).toISOString().slice(0, 10));
}

async function releasedDays(bigquery: BigQuery, project: string): Promise<Set<unknown>> {
  const sql = `SELECT day FROM \`${project}.${publishedDataset}.releases\``;
  return new Set(asRecords(await queryWarehouse(bigquery, sql)).map((r) => r["day"]));
}

/** Write down that a day's budget is spent. False when another job did: only one of two finds the day empty. */
async function spend(bigquery: BigQuery, day: string, now: Date): Promise<boolean> {
  const row: ReleaseRow = {
    day,
    epsilon_thousandths: Math.round(privacyBudget.epsilon * 1e3),
    delta_billionths: Math.round(privacyBudget.delta * 1e9),
    released_at: now.toISOString(),
  };
  try {
    await load(bigquery, releases, [row], { day, when: "WRITE_EMPTY" });
    return true;
  } catch (error) {
    if (/duplicate|already exists/i.test(String(error))) return false;
    throw error;
  }
}

/** The groups of a day that may be shown, each sum with its noise. */
async function draw(bigquery: BigQuery, project: string, day: string): Promise<FlowRow[]> {
  const drawn = await everywhere(bigquery, (raw) => publicationSql(`${project}.${raw}`, day));
  return drawn.flatMap(({ beside, ...row }) =>
    isPublishable({ actors: Number(row["actors"]), beside: Number(beside) })
      ? [flowRowOf({ day, ...row, error: publishedError })]
      : [],
  );
}

const flowRowOf = (row: Row): FlowRow => flow.row.parse(row) as FlowRow;

type Row = Record<string, unknown>;

/** A query in every residency, one after the other: none reads two locations. `sql` gets the raw dataset. */
async function everywhere(bigquery: BigQuery, sql: (raw: string) => string): Promise<Row[]> {
  const found: Row[] = [];
  for (const place of residency.options) {
    found.push(...asRecords(await queryWarehouse(bigquery, sql(rawDataset(place)))));
  }
  return found;
}

/** Load rows into a day, or into the whole table; checked against its schema, and whole or not at all. */
async function load(
  bigquery: BigQuery,
  table: WarehouseTable,
  rows: readonly object[],
  { day, when }: { day?: string; when: "WRITE_EMPTY" | "WRITE_TRUNCATE" },
): Promise<void> {
  const lines = rows.map((row) => `${JSON.stringify(table.row.parse(row))}\n`);
  const id = day === undefined ? table.name : `${table.name}$${day.replaceAll("-", "")}`;
  const upload = bigquery.dataset(publishedDataset).table(id).createWriteStream({
    sourceFormat: "NEWLINE_DELIMITED_JSON",
    writeDisposition: when,
  });
  const loaded = new Promise<void>((resolve, reject) => {
    upload.once("complete", () => resolve());
    upload.once("error", reject);
  });
  await Promise.all([pipeline(Readable.from(lines), upload), loaded]);
}
