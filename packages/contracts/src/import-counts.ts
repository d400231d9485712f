import { z } from "zod";

/**
 * Counts of what happened. Each row is counted once: of rows that name the same thing the last good one under what became of the thing,
 * the good ones before it as `superseded`. `deleted` also has the things that a full import no longer names. Until a row is
 * decided, and in a dry run, it is `valid`.
 */
export const importCounts = z.strictObject({
  rows: z.int().min(0).describe("Read so far"),
  created: z.int().min(0),
  changed: z.int().min(0),
  unchanged: z.int().min(0),
  deleted: z.int().min(0).describe("Named with op delete, or no longer named by a full import"),
  absent: z.int().min(0).describe("Named with op delete and not there"),
  superseded: z.int().min(0).describe("Good, but a later row of the file decides about the thing"),
  valid: z.int().min(0).describe("Good rows that are not decided yet; all of them in a dry run"),
  blank: z.int().min(0).describe("Rows without any content, and headers that are repeated among them"),
  failed: z.int().min(0).describe("Refused; the report says why"),
  warnings: z.int().min(0).describe("Remarks in the report about rows that went in"),
});
export type ImportCounts = z.infer<typeof importCounts>;

/** No rows yet. */
export const noCounts: Readonly<ImportCounts> = Object.fromEntries(
  Object.keys(importCounts.shape).map((key) => [key, 0]),
) as ImportCounts;

/** The sum of two counts, key by key. */
export function addCounts(a: ImportCounts, b: Partial<ImportCounts>): ImportCounts {
  const sum = { ...a };
  for (const key of Object.keys(sum) as (keyof ImportCounts)[]) sum[key] += b[key] ?? 0;
  return sum;
}

/** What applying all rows in file order would do, counted before anything is written. */
export const importPlan = z.strictObject({
  created: z.int().min(0),
  changed: z.int().min(0),
  unchanged: z.int().min(0),
  deleted: z.int().min(0).describe("With those that a full import no longer names"),
  gone: z
    .int()
    .min(0)
    .describe("Of the deleted, those that a full import no longer names: what confirmDeletes confirms"),
  absent: z.int().min(0),
  superseded: z.int().min(0),
  failed: z.int().min(0).describe("Refused in all"),
  ofSource: z
    .int()
    .min(0)
    .describe("Things that came from this source before; 0 when nobody had to count them"),
});
export type ImportPlan = z.infer<typeof importPlan>;
