import {
  type CsvFormat,
  type ImportInput,
  importLimits,
  ProblemError,
  type RowNote,
} from "@proveniq/contracts";
import { type Cell, csvRow, csvSpans, scanOptions } from "./cells.ts";
import { compileMapping, type MappedRow, type RowMapper } from "./mapper.ts";
import { directRow, jsonCells, jsonColumns, jsonObject, jsonSpans } from "./ndjson.ts";
import type { ScanOptions, Span } from "./spans.ts";
import { firstBadByte } from "./utf8.ts";

/** One row of a chunk: what it asks for, and what it was, for the report. */
export interface ChunkRow {
  /** Its place in the chunk, from 0. */
  at: number;
  mapped: MappedRow;
  cells?: string[];
  text?: string;
}

/** A chunk whose rows have been found and are read page by page. */
export interface Chunk {
  rows: number;
  /**
   * Rows `from` up to `to`, as far as there are any. `firstRow`: the number in the file of the chunk's first. `over` is asked after
   * each row and may end the page there, so that rows that take long do not keep everybody else waiting.
   */
  read(from: number, to: number, firstRow: number, over?: () => boolean): ChunkRow[];
}

/** One chunk's rows, a header, and one more to know that there are too many. */
const mostSpans = importLimits.chunkRows + 2;

/** How many of the first bytes are a byte order mark. */
export function bomLength(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** Make the function that opens chunks of one import. The mapping is compiled once. */
export function chunkReader({ format, mapping }: Pick<ImportInput, "format" | "mapping">) {
  if (format.type === "csv") {
    if (mapping === undefined) throw new Error("a CSV import has a mapping");
    const map = compileMapping(mapping, format.columns);
    return (bytes: Buffer, n: number): Chunk => openCsv(bytes, n, format, map);
  }
  const columns = mapping === undefined ? [] : jsonColumns(mapping);
  const map = mapping === undefined ? undefined : compileMapping(mapping, columns);
  return (bytes: Buffer): Chunk => openJson(bytes, columns, map);
}

function openCsv(bytes: Buffer, n: number, format: CsvFormat, map: RowMapper): Chunk {
  checkEncoding(bytes);
  const options = scanOptions(format, bytes);
  const spans = csvSpans(bytes, options, bomLength(bytes), mostSpans);
  const isHeader = headerIn(format);
  if (format.header === "every-chunk" || (format.header === "first-chunk" && n === 1)) {
    takeHeader(bytes, spans, format, options, isHeader);
  }
  checkCount(spans.length);
  return chunkOf(spans, (span, at, firstRow) => {
    const row = csvRow(bytes, span, options);
    if (!("cells" in row)) return { at, mapped: { op: "refused", notes: [row.note] }, text: row.text };
    const { cells } = row;
    return { at, mapped: isHeader(cells) ? { op: "blank" } : map(cells, firstRow + at), cells };
  });
}

function openJson(bytes: Buffer, columns: readonly string[], map: RowMapper | undefined): Chunk {
  checkEncoding(bytes);
  const spans = jsonSpans(bytes, bomLength(bytes), mostSpans);
  checkCount(spans.length);
  return chunkOf(spans, (span, at, firstRow) => {
    const text = () => bytes.toString("utf8", span.start, Math.min(span.end, span.start + 65_536));
    const found = jsonObject(bytes, span, map === undefined ? "refuse" : "text");
    if (found === undefined) return { at, mapped: { op: "blank" } };
    if ("note" in found) return { at, mapped: { op: "refused", notes: [found.note] }, text: found.text };
    if (map === undefined) return { at, mapped: directRow(found.object), text: text() };
    const cells: Cell[] | RowNote = jsonCells(found.object, columns);
    const mapped: MappedRow = Array.isArray(cells)
      ? map(cells, firstRow + at)
      : { op: "refused", notes: [cells] };
    return { at, mapped, text: text() };
  });
}

function chunkOf(spans: readonly Span[], one: (span: Span, at: number, firstRow: number) => ChunkRow): Chunk {
  return {
    rows: spans.length,
    read(from, to, firstRow, over) {
      const rows: ChunkRow[] = [];
      for (let at = from; at < to; at++) {
        const span = spans[at];
        if (span === undefined) break;
        rows.push(one(span, at, firstRow));
        if (over?.() === true) break;
      }
      return rows;
    },
  };
}

function checkEncoding(bytes: Buffer): void {
  const bad = firstBadByte(bytes);
  if (bad === undefined) return;
  const line = bytes.subarray(0, bad).filter((b) => b === 0x0a).length + 1;
  const [a, b] = bytes;
  const utf16 = (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff);
  const hint =
    a === 0x1f && b === 0x8b
      ? "It looks like gzip: send it as application/gzip."
      : utf16
        ? "It looks like UTF-16: convert it, for example with iconv -f UTF-16 -t UTF-8."
        : "Convert the file, for example with iconv -f WINDOWS-1252 -t UTF-8.";
  throw new ProblemError("invalid-chunk", `Not UTF-8 at byte ${bad} (line ${line}) of the chunk. ${hint}`);
}

function checkCount(rows: number): void {
  if (rows <= importLimits.chunkRows) return;
  throw new ProblemError("invalid-chunk", `The chunk has more than ${importLimits.chunkRows} rows.`);
}

/** The name that a cell of a header gives its column: on one line. */
export function columnNameOf(cell: string): string {
  return cell.trim().replace(/[\r\n]+/gu, " ");
}

/** What stands for the name of a column whose header is empty: the fifth is `column 5`. */
export function unnamedColumn(place: number): string {
  return `column ${place}`;
}

/**
 * Whether some cells are the header: a file that was put together from several has it again and again. Wherever it stands it names
 * nothing, and is no thing with the title "title".
 */
function headerIn({ columns }: CsvFormat): (cells: readonly string[]) => boolean {
  const names = columns.map((name) => name.trim());
  const isUnnamed = names.map((name, n) => name === unnamedColumn(n + 1));
  return (cells) =>
    cells.length === names.length &&
    names.every((name, n) => {
      const cell = cells[n] ?? "";
      return cell === name || (cell === "" ? isUnnamed[n] === true : columnNameOf(cell) === name);
    });
}

/** Take the header off the spans, and blank lines before it. Throws when something else is there. */
function takeHeader(
  bytes: Buffer,
  spans: Span[],
  format: CsvFormat,
  options: ScanOptions,
  isHeader: (cells: readonly string[]) => boolean,
): void {
  for (let span = spans.shift(); span !== undefined; span = spans.shift()) {
    const row = csvRow(bytes, span, { ...options, columns: undefined });
    const cells = "cells" in row ? row.cells : undefined;
    if (cells?.length === 1 && cells[0] === "") continue;
    if (cells !== undefined && isHeader(cells)) return;
    const wrong = cells === undefined ? 0 : format.columns.findIndex((name, i) => cells[i] !== name.trim());
    const found = cells === undefined ? "a line that is no header" : JSON.stringify(cells[wrong] ?? "");
    throw new ProblemError(
      "invalid-chunk",
      wrong < 0
        ? `The header has ${cells?.length} columns, format.columns ${format.columns.length}.`
        : `Column ${wrong + 1} of the header should be ${JSON.stringify(format.columns[wrong])}; it is ${found}.`,
    );
  }
}
