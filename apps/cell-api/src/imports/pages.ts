import { type ImportCounts, noCounts, type RowNote, type RowReport } from "@proveniq/contracts";
import type { ChunkIdentity, ChunkRecord, Page, PageRow } from "@proveniq/db/tenant";
import type { Chunk, ChunkRow } from "@proveniq/rows";

/** Bytes of a page as JSON, so that its commit stays well below the database's 10 MiB. */
const pageBytes = 3 * 1024 * 1024;
/** Bytes of one row in the report; a longer one is cut. */
const reportBytes = 64 * 1024;
/** Remarks about a chunk's rows that the report lists; all are counted. */
const mostRemarks = 50;

const duplicate = (row: number): RowNote => ({
  level: "warning",
  code: "duplicate",
  field: "/externalId",
  message: `Names the same thing as row ${row}, which decides.`,
});

/** Where in the file a chunk is. */
type Place = Pick<ChunkIdentity, "chunk" | "firstRow">;

/**
 * Read the next page of a chunk, of `most` rows at the most: what its rows ask for, and what the report says about them.
 * `so`: how far the chunk is.
 */
export function nextPage(
  chunk: Chunk,
  { chunk: n, firstRow }: Place,
  so: Pick<ChunkRecord, "done" | "counts">,
  most: number,
): Page {
  const from = so.done;
  const rows = new Map<string, PageRow>();
  const named: { at: number; externalId: string }[] = [];
  const reports: RowReport[] = [];
  const counts: ImportCounts = { ...noCounts };
  let nameless = 0;
  let size = 0;
  let to = from;
  const add = (report: RowReport) => {
    const line = cutReport(report);
    size += JSON.stringify(line).length;
    reports.push(line);
  };
  const remark = (report: RowReport) => {
    counts.warnings += report.notes.length;
    if (so.counts.warnings + counts.warnings <= mostRemarks) add(report);
  };

  for (const row of chunk.read(from, from + most, firstRow)) {
    const { mapped, at } = row;
    if (mapped.op === "blank") counts.blank++;
    else if (mapped.op === "refused") {
      counts.failed++;
      add({ ...sourceOf(row, firstRow), chunk: n, refused: true, notes: mapped.notes });
      if (mapped.externalId === undefined) nameless++;
      else named.push({ at, externalId: mapped.externalId });
    } else {
      const { externalId } = mapped.op === "upsert" ? mapped.input : mapped;
      const earlier = rows.get(externalId);
      if (earlier !== undefined) {
        counts.superseded++;
        remark({ ...earlier.source, chunk: n, refused: false, notes: [duplicate(firstRow + at)] });
      }
      const source = sourceOf(row, firstRow);
      if (mapped.notes.length > 0) remark({ ...source, chunk: n, refused: false, notes: mapped.notes });
      size += sizeOf(row);
      rows.delete(externalId);
      rows.set(
        externalId,
        mapped.op === "upsert"
          ? { op: "upsert", at, externalId, source, input: mapped.input }
          : { op: "delete", at, externalId, source },
      );
    }
    to = at + 1;
    if (size > pageBytes) break;
  }
  return { from, to, rows: [...rows.values()], named, nameless, counts, reports };
}

/** Rows of a chunk that are decided once more. */
export function againPage(chunk: Chunk, place: Place, so: Pick<ChunkRecord, "again" | "counts">): Page {
  const rows = so.again.flatMap((done) => nextPage(chunk, place, { ...so, done }, 1).rows);
  return { from: chunk.rows, to: chunk.rows, rows, named: [], nameless: 0, counts: {}, reports: [] };
}

function sourceOf({ at, cells, text }: ChunkRow, firstRow: number): PageRow["source"] {
  return {
    row: firstRow + at,
    ...(cells === undefined ? {} : { cells }),
    ...(text === undefined ? {} : { text }),
  };
}

/** About how many bytes a row makes of the commit: constants and templates can be longer than its cells. */
function sizeOf({ mapped, cells }: ChunkRow): number {
  if (mapped.op !== "upsert") return 200;
  const { title, description = "", attributes = {} } = mapped.input;
  let size = 1_000 + 3 * (title.length + description.length);
  for (const value of Object.values(attributes))
    size += typeof value === "string" ? 60 + 3 * value.length : 60;
  return size + (cells?.length ?? 0);
}

function cutReport(report: RowReport): RowReport {
  if (JSON.stringify(report).length <= reportBytes) return report;
  const { cells, text, ...rest } = report;
  return { ...rest, text: (text ?? cells?.join(" ") ?? "").slice(0, reportBytes / 4) };
}
