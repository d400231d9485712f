import { type CsvFormat, importLimits, type RowNote } from "@proveniq/contracts";
import { afterEmptyLines, lineEndOf, type ScanOptions, type Span, scanRecord } from "./spans.ts";

/** A cell as it came: CSV has texts only, NDJSON also numbers and booleans. */
export type Cell = string | number | boolean;

/** A record that could not be read, as its text, and why. */
export interface FaultyRow {
  text: string;
  note: RowNote;
}

/** A record, split into cells or not. */
export type Row = { cells: string[] } | FaultyRow;

const faults: Record<NonNullable<Span["fault"]>, RowNote> = {
  quote: {
    level: "error",
    code: "not-csv",
    message: 'A quoted cell is not closed, or has a single quote inside: write it twice, "".',
  },
  "too-large": {
    level: "error",
    code: "too-large",
    message: `The row is larger than ${importLimits.rowBytes / 1024} KiB.`,
  },
  columns: {
    level: "error",
    code: "columns",
    message: `The row has more than ${importLimits.columns} cells. Is the delimiter right?`,
  },
};

/** A record with a fault, as the text it is, cut where a report becomes unwieldy. */
export function faultyRow(bytes: Buffer, span: Span, note = faults[span.fault ?? "quote"]): FaultyRow {
  return { text: bytes.toString("utf8", span.start, Math.min(span.end, span.start + 65_536)), note };
}

/** How the records of these bytes are found. What ends a line is what the format says, else what the bytes look like. */
export function scanOptions(format: CsvFormat, bytes: Uint8Array): ScanOptions {
  const { delimiter, columns, lineEnd } = format;
  return { delimiter, columns: columns.length, lineEnd: lineEnd ?? lineEndOf(bytes) };
}

/** The first `max` records of a whole text, empty lines left out. `from`: where to begin, past a byte order mark. */
export function csvSpans(bytes: Uint8Array, options: ScanOptions, from: number, max: number): Span[] {
  const spans: Span[] = [];
  for (let at = from; spans.length < max; ) {
    at = afterEmptyLines(bytes, at, options.lineEnd);
    const span = at < bytes.length ? scanRecord(bytes, at, options, true) : undefined;
    if (span === undefined) break;
    if (span.end > span.start) spans.push(span);
    at = span.next;
  }
  return spans;
}

/**
 * A record's cells, or the row that says why there are none. It must have as many as the file has columns. A line of blanks is one
 * empty cell.
 */
export function csvRow(bytes: Buffer, span: Span, { delimiter, columns }: ScanOptions): Row {
  if (span.fault !== undefined) return faultyRow(bytes, span);
  const cells = cellsOf(bytes.toString("utf8", span.start, span.end), delimiter);
  if (cells === undefined) return faultyRow(bytes, span);
  return columns === undefined || cells.length === columns || cells.every((cell) => cell === "")
    ? { cells }
    : faultyRow(bytes, span, wrongCount(cells.length, columns));
}

function wrongCount(found: number, columns: number): RowNote {
  const why = found > columns ? "Is a cell with the delimiter in it not quoted?" : "Is a delimiter missing?";
  return {
    level: "error",
    code: "columns",
    message: `The row has ${found} cells, the header ${columns}. ${why}`,
  };
}

/** The cells of a header line, however many; undefined when it cannot be split. */
export function headerCells(line: Buffer, options: ScanOptions): string[] | undefined {
  const span = scanRecord(line, 0, { ...options, columns: undefined }, true);
  return span === undefined || (span.fault !== undefined && span.fault !== "columns")
    ? undefined
    : cellsOf(line.toString("utf8", span.start, span.end), options.delimiter);
}

const quote = '"';

/**
 * Split a record by the rules by which `scanRecord` found it: a quote opens a cell only where the cell begins, and is an ordinary
 * character anywhere else. Blanks around a cell are left out, those within quotes are kept. Undefined when something stands between a
 * closing quote and the next delimiter.
 */
export function cellsOf(record: string, delimiter: string): string[] | undefined {
  if (!record.includes(quote)) {
    const cells = record.split(delimiter);
    for (let n = 0; n < cells.length; n++) cells[n] = trimmed(cells[n] ?? "");
    return cells;
  }
  const cells: string[] = [];
  for (let at = 0; ; ) {
    const begin = afterBlanks(record, at, delimiter);
    if (record[begin] === quote) {
      const quoted = quotedCell(record, begin + 1);
      if (quoted === undefined) return undefined;
      cells.push(quoted.cell);
      at = afterBlanks(record, quoted.next, delimiter);
      if (at >= record.length) return cells;
      if (record[at] !== delimiter) return record.slice(at).trim() === "" ? cells : undefined;
      at++;
    } else {
      const end = record.indexOf(delimiter, at);
      cells.push(trimmed(record.slice(at, end < 0 ? undefined : end)));
      if (end < 0) return cells;
      at = end + 1;
    }
  }
}

/** The cell whose quotes opened before `from`, and what comes after them. */
function quotedCell(record: string, from: number): { cell: string; next: number } | undefined {
  let cell = "";
  for (let at = from; ; ) {
    const close = record.indexOf(quote, at);
    if (close < 0) return undefined;
    if (record[close + 1] !== quote) return { cell: cell + record.slice(at, close), next: close + 1 };
    cell += record.slice(at, close + 1);
    at = close + 2;
  }
}

function afterBlanks(record: string, from: number, delimiter: string): number {
  let at = from;
  for (; at < record.length; at++) {
    const c = record[at];
    if (c === delimiter || (c !== " " && c !== "\t")) break;
  }
  return at;
}

/** `trim()` for the few cells that need it: most begin and end with a letter or digit of ASCII. */
export function trimmed(text: string): string {
  if (text === "") return text;
  const first = text.charCodeAt(0);
  const last = text.charCodeAt(text.length - 1);
  return first > 0x20 && first < 0x7f && last > 0x20 && last < 0x7f ? text : text.trim();
}
