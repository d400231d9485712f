import type { z } from "zod";
import type { residency } from "../region.ts";
import { type Column, columnsOf } from "./columns.ts";
import {
  eventRow,
  flowRow,
  formerMarkRow,
  freshnessRow,
  heartbeatRow,
  personRow,
  planRow,
  releaseRow,
} from "./rows.ts";

/** Where a table is: `raw` stands for a dataset in each residency, `published` for the one global view. */
export type DatasetRole = "raw" | "published";

export interface WarehouseTable {
  dataset: DatasetRole;
  name: string;
  description: string;
  row: z.ZodObject;
  columns: Column[];
  /** Column of its daily partitions; absent for a small table that is replaced as a whole. */
  partitionBy?: "day";
  clusterBy: string[];
  /** Partitions older than this many days are dropped. */
  expiresAfterDays?: number;
}

const table = (
  dataset: DatasetRole,
  name: string,
  description: string,
  row: z.ZodObject,
  more: Pick<WarehouseTable, "partitionBy" | "clusterBy" | "expiresAfterDays">,
): WarehouseTable => ({ dataset, name, description, row, columns: columnsOf(row), ...more });

const groupColumns = ["region", "category", "price_bucket", "currency"];

/** Every table of the warehouse. */
export const warehouseTables: readonly WarehouseTable[] = [
  table(
    "raw",
    "events",
    "What happened to items: one row a change, in closed groups, nobody in it.",
    eventRow,
    {
      partitionBy: "day",
      clusterBy: groupColumns,
      expiresAfterDays: 400,
    },
  ),
  table(
    "raw",
    "people",
    "What each person did first on a day: all that published sums are made of.",
    personRow,
    {
      partitionBy: "day",
      clusterBy: groupColumns,
      expiresAfterDays: 400,
    },
  ),
  table("raw", "marks", "What sinks of the release before send; nothing reads it.", formerMarkRow, {
    partitionBy: "day",
    clusterBy: ["kind", ...groupColumns.slice(0, 3)],
    expiresAfterDays: 400,
  }),
  table("raw", "plans", "One row a delivery, as the cell planned it: what must have arrived.", planRow, {
    partitionBy: "day",
    clusterBy: ["cell"],
    expiresAfterDays: 400,
  }),
  table("raw", "heartbeats", "A sign of life of each cell, every few minutes.", heartbeatRow, {
    partitionBy: "day",
    clusterBy: ["cell"],
    expiresAfterDays: 400,
  }),
  table("published", "flow", "The global view: groups of a day that are large and mixed enough.", flowRow, {
    partitionBy: "day",
    clusterBy: groupColumns,
  }),
  table("published", "releases", "Days whose budget of privacy is spent.", releaseRow, {
    partitionBy: "day",
    clusterBy: ["day"],
  }),
  table("published", "freshness", "Last sign of life of each cell.", freshnessRow, { clusterBy: ["cell"] }),
];

/** The dataset of a residency's raw rows. */
export const rawDataset = (of: z.infer<typeof residency>): string => `raw_${of}`;
export const publishedDataset = "published";

/** A table by role and name. */
export function warehouseTable(dataset: DatasetRole, name: string): WarehouseTable {
  const found = warehouseTables.find((t) => t.dataset === dataset && t.name === name);
  if (found === undefined) throw new Error(`the warehouse has no table ${dataset}.${name}`);
  return found;
}
