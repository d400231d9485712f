import { setImmediate } from "node:timers/promises";
import { type ImportCounts, noCounts, type RowReport, externalId as validId } from "@proveniq/contracts";
import type { ReadChunk } from "@proveniq/db/tenant";
import type { Chunk, ChunkRow } from "@proveniq/rows";

/** Rows that are read before others have their turn. */
const rowsAtOnce = 250;
/** Bytes of one row in the report; a longer one is cut. */
const reportBytes = 64 * 1024;
/** Remarks about a chunk's rows that the report lists; all are counted. */
const mostRemarks = 50;

/** Where in the file a chunk is, and whether rows are kept as they came: those that may be refused later, beside their thing's other attributes. */
interface Place {
  chunk: number;
  firstRow: number;
  keepSource: boolean;
}

/** Read a chunk's rows: what they ask for, and what the report says about them. */
export async function readRows(chunk: Chunk, { chunk: n, firstRow, keepSource }: Place): Promise<ReadChunk> {
  const counts: ImportCounts = { ...noCounts, rows: chunk.rows };
  const rows: ReadChunk["rows"] = [];
  const reports: RowReport[] = [];
  let nameless = 0;
  const remark = (report: RowReport) => {
    counts.warnings += report.notes.length;
    if (counts.warnings <= mostRemarks) reports.push(cutReport(report));
  };
  for (let from = 0; from < chunk.rows; from += rowsAtOnce) {
    for (const row of chunk.read(from, from + rowsAtOnce, firstRow)) {
      const { mapped, at } = row;
      if (mapped.op === "blank") counts.blank++;
      else if (mapped.op === "refused") {
        counts.failed++;
        reports.push(cutReport({ ...sourceOf(row, firstRow), chunk: n, refused: true, notes: mapped.notes }));
        const { externalId } = mapped;
        // An id that nothing can have names nothing: it must not stand for the thing that was meant.
        if (externalId === undefined || !validId.safeParse(externalId).success) nameless++;
        else rows.push({ at, externalId, row: { op: "name" } });
      } else {
        counts.valid++;
        if (mapped.notes.length > 0)
          remark({ ...sourceOf(row, firstRow), chunk: n, refused: false, notes: mapped.notes });
        if (mapped.op === "delete") rows.push({ at, externalId: mapped.externalId, row: { op: "delete" } });
        else {
          const { input } = mapped;
          const keep = keepSource && input.attributes !== undefined;
          const source = keep ? { source: cutSource(row) } : {};
          rows.push({ at, externalId: input.externalId, row: { op: "upsert", input, ...source } });
        }
      }
    }
    await setImmediate();
  }
  return { rows, counts, nameless, reports };
}

function sourceOf(
  { at, cells, text }: ChunkRow,
  firstRow: number,
): Pick<RowReport, "row" | "cells" | "text"> {
  return {
    row: firstRow + at,
    ...(cells === undefined ? {} : { cells }),
    ...(text === undefined ? {} : { text }),
  };
}

function cutSource({ cells, text }: ChunkRow): Pick<RowReport, "cells" | "text"> {
  if (cells === undefined) return { text: (text ?? "").slice(0, reportBytes / 4) };
  const length = cells.reduce((sum, cell) => sum + cell.length, 0);
  return length > reportBytes / 4 ? { text: cells.join(" ").slice(0, reportBytes / 4) } : { cells };
}

function cutReport(report: RowReport): RowReport {
  if (JSON.stringify(report).length <= reportBytes) return report;
  const { cells, text, ...rest } = report;
  return { ...rest, text: (text ?? cells?.join(" ") ?? "").slice(0, reportBytes / 4) };
}
