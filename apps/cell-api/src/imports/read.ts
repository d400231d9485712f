import { setImmediate } from "node:timers/promises";
import {
  type ImportCounts,
  type ImportInput,
  noCounts,
  type RowReport,
  externalId as validId,
} from "@proveniq/contracts";
import type { ReadChunk, Step } from "@proveniq/db/tenant";
import { type Chunk, type ChunkRow, chunkReader } from "@proveniq/rows";

/** Rows that are read before others have their turn. */
const rowsAtOnce = 250;
/** Bytes of one row in the report; a longer one is cut. */
const reportBytes = 64 * 1024;
/** Remarks about a chunk's rows that the report lists; all are counted. */
const mostRemarks = 50;

/** How long rows are read, in milliseconds, before others have their turn: some take long. */
const readMs = 20;

/** Where in the file a chunk is. */
interface Place {
  chunk: number;
  firstRow: number;
}

/** Read a chunk's rows: what they ask for, and what the report says about them. `now`: milliseconds. */
export async function readRows(
  chunk: Chunk,
  { chunk: n, firstRow }: Place,
  now: () => number = () => performance.now(),
): Promise<ReadChunk> {
  const counts: ImportCounts = { ...noCounts, rows: chunk.rows };
  const rows: ReadChunk["rows"] = [];
  const reports: RowReport[] = [];
  let nameless = 0;
  const remark = (report: RowReport) => {
    counts.warnings += report.notes.length;
    if (counts.warnings <= mostRemarks) reports.push(cutReport(report));
  };
  for (let from = 0; from < chunk.rows; ) {
    const until = now() + readMs;
    const page = chunk.read(from, from + rowsAtOnce, firstRow, () => now() > until);
    from += page.length;
    for (const row of page) {
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
          rows.push({ at, externalId: input.externalId, row: { op: "upsert", input } });
        }
      }
    }
    await setImmediate();
  }
  return { rows, counts, nameless, reports };
}

/** Open a chunk again for its rows as they came; see `Step` of imports. */
export function rowsOf(input: ImportInput, n: number, bytes: Buffer): ReturnType<Step["rowsOf"]> {
  const chunk = chunkReader(input)(bytes, n);
  return (at) => {
    const [row] = chunk.read(at, at + 1, 1);
    return row === undefined ? {} : cutSource(row);
  };
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
