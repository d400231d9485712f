import { z } from "zod";
import { columnsOf, idsByRow } from "./import-columns.ts";
import { importCounts, importPlan } from "./import-counts.ts";
import { columnName, importMapping } from "./import-mapping.ts";
import { printable } from "./printable.ts";

/** Bounds of an import. A chunk's bytes are counted both as sent and as unpacked. */
export const importLimits = {
  chunkBytes: 8 * 1024 * 1024,
  chunkRows: 5_000,
  rowBytes: 256 * 1024,
  columns: 1_000,
  chunks: 10_000,
} as const;

/**
 * Columns that our own error report adds in front of a partner's. A mended report can be sent as it is: `{row}` is
 * then read from the first, and the second is left out.
 */
export const reportColumns = { row: "import_row", fault: "import_fault" } as const;

/** Media types of a chunk. `application/gzip` holds either of the other two: the import's format says which. */
export const chunkMediaTypes = ["text/csv", "application/x-ndjson", "application/gzip"] as const;

export const importId = z
  .string()
  .regex(/^[A-Za-z0-9]{20}$/, "is not an import id")
  .meta({ id: "ImportId" });

const csvFormat = z.strictObject({
  type: z.literal("csv"),
  delimiter: z.enum([",", ";", "\t", "|"]),
  columns: z
    .array(columnName)
    .min(1)
    .max(importLimits.columns)
    .refine((all) => new Set(all).size === all.length, { error: "must not name a column twice" })
    .describe("The file's columns in their order"),
  header: z
    .enum(["none", "first-chunk", "every-chunk"])
    .describe("Which chunks begin with a header line; it must equal `columns`"),
  lineEnd: z
    .enum(["lf", "cr"])
    .optional()
    .describe(
      "What ends a line: lf (also CRLF), or cr alone as in old Macintosh files. Absent: cr in chunks that have no LF at all",
    ),
});
export type CsvFormat = z.infer<typeof csvFormat>;

const ndjsonFormat = z.strictObject({ type: z.literal("ndjson") });

/** How a file is written. Always UTF-8. */
export const importFormat = z.discriminatedUnion("type", [csvFormat, ndjsonFormat]);
export type ImportFormat = z.infer<typeof importFormat>;

/** The feed a thing comes from, such as `policies`. A full import deletes only what came from its own source. */
export const importSource = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/, "must be 1 to 40 lower-case letters, digits or hyphens");

/** POST /v1/imports. */
export const importInput = z
  .strictObject({
    source: importSource,
    fileName: z
      .string()
      .min(1)
      .max(200)
      .regex(printable, "must be printable")
      .optional()
      .describe("For people"),
    format: importFormat,
    mapping: importMapping
      .optional()
      .describe(
        "Needed for CSV. NDJSON without one: each line is an item as POST /v1/items takes it, with `op`",
      ),
    dryRun: z.boolean().default(false).describe("Check every row, write no item"),
    scope: z
      .enum(["partial", "full"])
      .default("partial")
      .describe("full: the file is the whole of its source; what it does not name is deleted at the end"),
    maxErrors: z
      .int()
      .min(0)
      .max(10_000)
      .default(1_000)
      .describe("More refused rows than this stop the import"),
    maxDeletePercent: z
      .int()
      .min(0)
      .max(100)
      .default(10)
      .describe("A full import that would delete more of its source asks for confirmation"),
    expectedRows: z
      .int()
      .min(0)
      .optional()
      .describe("For the estimate of the time that is left, and how what arrives is kept"),
    undo: z
      .boolean()
      .default(true)
      .describe("Remember what is replaced, for 14 days, so that the import can be undone"),
  })
  .superRefine((input, ctx) => {
    const { format, mapping } = input;
    if (mapping === undefined) {
      if (format.type === "csv")
        ctx.addIssue({ code: "custom", path: ["mapping"], message: "is needed for CSV" });
      return;
    }
    if (format.type !== "csv") return;
    const known = new Set(format.columns);
    for (const { column, path } of columnsOf(mapping)) {
      if (known.has(column)) continue;
      ctx.addIssue({
        code: "custom",
        path: ["mapping", ...path.slice(1).split("/")],
        message: `names the column ${JSON.stringify(column)}, which format.columns does not have`,
      });
    }
  })
  .meta({ id: "ImportInput" });
export type ImportInput = z.infer<typeof importInput>;

/** What is odd about an import but not wrong, in sentences for people. */
export function importWarnings({ format, mapping }: Pick<ImportInput, "format" | "mapping">): string[] {
  if (mapping === undefined) return [];
  const warnings: string[] = [];
  if (idsByRow(mapping)) {
    warnings.push(
      "externalId is made from the row's number: when a line is added or removed, all things below it change their ids. Use a column that names the thing.",
    );
  }
  if (format.type === "ndjson") return warnings;
  const used = new Set([
    ...columnsOf(mapping).map((c) => c.column),
    ...mapping.ignore,
    ...Object.values(reportColumns),
  ]);
  const unused = format.columns.filter((column) => !used.has(column));
  if (unused.length > 0) {
    warnings.push(
      `Columns that are not imported: ${unused.join(", ")}. List them in mapping.ignore if that is meant.`,
    );
  }
  if (format.columns.includes("row") && JSON.stringify(mapping).includes("{row}")) {
    warnings.push("{row} is the row's number, not the column named row.");
  }
  return warnings;
}

/** What can be wrong with a row, or worth a remark. */
export const rowCode = z.enum([
  "missing",
  "not-a-number",
  "not-money",
  "not-a-date",
  "not-a-boolean",
  "not-listed",
  "not-valid",
  "too-long",
  "incomplete",
  "columns",
  "not-csv",
  "not-json",
  "too-large",
  "duplicate",
]);
export type RowCode = z.infer<typeof rowCode>;

/** One fault of a row (it was refused) or one remark (it went in). */
export const rowNote = z.strictObject({
  level: z.enum(["error", "warning"]),
  code: rowCode,
  field: z.string().optional().describe("JSON pointer into the item"),
  column: z.string().optional().describe("The partner's column"),
  message: z.string().describe("What is wrong and what would be right"),
});
export type RowNote = z.infer<typeof rowNote>;

/** One line of the NDJSON report: a row as it came, with all that was found about it. */
export const rowReport = z
  .strictObject({
    row: z.int().min(1).describe("Its number in the file, from 1, without header and empty lines"),
    chunk: z.int().min(1),
    refused: z.boolean(),
    notes: z.array(rowNote).min(1),
    cells: z.array(z.string()).optional().describe("CSV: the cells as they came"),
    text: z
      .string()
      .optional()
      .describe("NDJSON, or a line that could not be split: as it came, cut at 64 KiB"),
  })
  .meta({ id: "ImportRowReport" });
export type RowReport = z.infer<typeof rowReport>;

/** PUT /v1/imports/{id}/chunks/{n}: 200 when the chunk is done, 202 when the same bytes must be put again to go on. */
export const chunkAnswer = z
  .strictObject({
    chunk: z.int().min(1),
    state: z.enum(["done", "working"]),
    firstRow: z.int().min(1),
    rows: z.int().min(0).describe("That the chunk holds"),
    done: z.int().min(0).describe("Of them, those that are kept"),
    counts: importCounts,
  })
  .meta({ id: "ImportChunk" });
export type ChunkAnswer = z.infer<typeof chunkAnswer>;

/** POST /v1/imports/{id}/complete: what was sent in all. */
export const completeInput = z
  .strictObject({
    chunks: z.int().min(0).max(importLimits.chunks),
    rows: z.int().min(0).describe("Of all chunks together"),
    confirmDeletes: z
      .int()
      .min(1)
      .optional()
      .describe("A full import over maxDeletePercent: the number of deletions that the refusal named"),
    preview: z
      .boolean()
      .default(false)
      .describe("Count exactly what would happen, write nothing, and leave the import open"),
  })
  .meta({ id: "ImportComplete" });
export type CompleteInput = z.infer<typeof completeInput>;

/**
 * `finishing`: complete was called; see `phase`. `stopped`: more errors than it may have. `superseded`: only of imports that an earlier
 * release ended. What an ended import wrote stays, unless it is undone.
 */
export const importState = z.enum(["open", "finishing", "completed", "cancelled", "stopped", "superseded"]);
export type ImportState = z.infer<typeof importState>;

/** `waiting`: another import of the tenant was completed before and is not done. */
export const importPhase = z.enum(["receiving", "waiting", "checking", "writing", "ended"]);
export type ImportPhase = z.infer<typeof importPhase>;

/**
 * `possible`: until `until`. `working`: begun and not done. `expired`: what was replaced is no longer kept. `off`: nothing was
 * kept, or nothing was written.
 */
export const importUndo = z.strictObject({
  state: z.enum(["possible", "working", "done", "expired", "off"]),
  restored: z.int().min(0).describe("Things that are as they were before the import"),
  kept: z.int().min(0).describe("Things that somebody has changed since: they stay as they are"),
  until: z.iso.datetime().optional().describe("As long as undoing is possible"),
});
export type ImportUndo = z.infer<typeof importUndo>;

/** One line of GET /v1/imports/{id}/undo.ndjson: a thing that undoing left as it is. */
export const undoReport = z
  .strictObject({
    itemId: z.string(),
    was: z.enum(["created", "changed", "deleted"]).describe("What the import did to it"),
    message: z.string(),
  })
  .meta({ id: "ImportUndoReport" });
export type UndoReport = z.infer<typeof undoReport>;

/** GET /v1/imports/{id}, and the answer to create, complete, undo and cancel. */
export const importJob = z
  .strictObject({
    id: importId,
    source: importSource,
    fileName: z.string().optional(),
    state: importState,
    phase: importPhase,
    waitingFor: importId
      .optional()
      .describe("The import of the same tenant that is checked and written first"),
    dryRun: z.boolean(),
    scope: z.enum(["partial", "full"]),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    chunks: z.strictObject({
      known: z.int().min(0),
      done: z.int().min(0),
      unfinished: z.array(z.int().min(1)).max(100).describe("Begun and not done: the first hundred"),
    }),
    counts: importCounts,
    plan: importPlan.optional().describe("What the last check counted: what would happen, not what did"),
    undo: importUndo.optional().describe("Once it has ended"),
    summary: z.string().describe("The counts in one line, for people"),
    pace: z.strictObject({
      rowsPerSecond: z.number().min(0).describe("Over the last minute"),
      writesPerSecondAllowed: z
        .number()
        .min(0)
        .describe("Now; it grows by half every five minutes up to the cell's cap"),
      secondsLeft: z.number().min(0).nullable().describe("With expectedRows: an estimate. Null: not known"),
    }),
    warnings: z.array(z.string()),
  })
  .meta({ id: "ImportJob" });
export type ImportJob = z.infer<typeof importJob>;

/** One page of imports, newest first. */
export const importPage = z
  .strictObject({ imports: z.array(importJob), nextCursor: z.string().optional() })
  .meta({ id: "ImportPage" });
