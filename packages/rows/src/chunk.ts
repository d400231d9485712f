import {
  type CsvFormat,
  type ImportInput,
  importLimits,
  ProblemError,
  type RowNote,
} from "@proveniq/contracts";
import { type Cell, csvRows, csvSpans, scanOptions } from "./cells.ts";
import { compileMapping, type MappedRow, type RowMapper } from "./mapper.ts";
import { directRow, jsonCells, jsonColumns, jsonObject, jsonSpans } from "./ndjson.ts";
import type { Span } from "./spans.ts";
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
  /** Rows `from` up to `to`, as far as there are any. `firstRow`: the number in the file of the chunk's first. */
  read(from: number, to: number, firstRow: number): ChunkRow[];
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
  checkHeader(bytes, spans, format, n);
  checkCount(spans.length);
  return {
    rows: spans.length,
    read: (from, to, firstRow) =>
      csvRows(bytes, spans.slice(from, to), options).map((row, i) => {
        const at = from + i;
        if (!("cells" in row)) return { at, mapped: { op: "refused", notes: [row.note] }, text: row.text };
        return { at, mapped: map(row.cells, firstRow + at), cells: row.cells };
      }),
  };
}

function openJson(bytes: Buffer, columns: readonly string[], map: RowMapper | undefined): Chunk {
  checkEncoding(bytes);
  const spans = jsonSpans(bytes, bomLength(bytes), mostSpans);
  checkCount(spans.length);
  const one = (span: Span, at: number, firstRow: number): ChunkRow => {
    const text = () => bytes.toString("utf8", span.start, Math.min(span.end, span.start + 65_536));
    const found = jsonObject(bytes, span);
    if ("note" in found) return { at, mapped: { op: "refused", notes: [found.note] }, text: found.text };
    if (!("object" in found)) throw new Error("a line of NDJSON has no cells");
    if (map === undefined) return { at, mapped: directRow(found.object), text: text() };
    const cells: Cell[] | RowNote = jsonCells(found.object, columns);
    const mapped: MappedRow = Array.isArray(cells)
      ? map(cells, firstRow + at)
      : { op: "refused", notes: [cells] };
    return { at, mapped, text: text() };
  };
  return {
    rows: spans.length,
    read: (from, to, firstRow) => spans.slice(from, to).map((span, i) => one(span, from + i, firstRow)),
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

/** Take the header off the spans where one is due, and refuse one where none is. */
function checkHeader(bytes: Buffer, spans: Span[], format: CsvFormat, n: number): void {
  const due = format.header === "every-chunk" || (format.header === "first-chunk" && n === 1);
  const [first] = spans;
  if (first === undefined) return;
  const [row] = csvRows(bytes, [first], scanOptions(format, bytes));
  const cells = row !== undefined && "cells" in row ? row.cells : undefined;
  const wrong = cells === undefined ? 0 : format.columns.findIndex((name, i) => cells[i] !== name.trim());
  if (due) {
    if (wrong >= 0) {
      const found = cells === undefined ? "a line that is no header" : JSON.stringify(cells[wrong] ?? "");
      throw new ProblemError(
        "invalid-chunk",
        `Column ${wrong + 1} of the header should be ${JSON.stringify(format.columns[wrong])}; it is ${found}.`,
      );
    }
    spans.shift();
  } else if (wrong < 0) {
    throw new ProblemError(
      "invalid-chunk",
      `The chunk begins with the header, but format.header is "${format.header}". Leave it out.`,
    );
  }
}
