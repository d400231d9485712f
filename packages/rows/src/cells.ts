import { type CsvFormat, importLimits, type RowNote } from "@proveniq/contracts";
import { parse } from "csv-parse/sync";
import { lineEndOf, type ScanOptions, type Span, scanRecord } from "./spans.ts";

/** A cell as it came: CSV has texts only, NDJSON also numbers and booleans. */
export type Cell = string | number | boolean;

/** A record, split into cells or, with a note that says why not, as its text. */
export type Row = { cells: string[] } | { text: string; note: RowNote };

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
export function faultyRow(bytes: Buffer, span: Span, note = faults[span.fault ?? "quote"]): Row {
  return { text: bytes.toString("utf8", span.start, Math.min(span.end, span.start + 65_536)), note };
}

/** How the records of these bytes are found. */
export function scanOptions(format: CsvFormat, bytes: Uint8Array): ScanOptions {
  return { delimiter: format.delimiter, columns: format.columns.length, lineEnd: lineEndOf(bytes) };
}

/** The first `max` records of a whole text, empty lines left out. `from`: where to begin, past a byte order mark. */
export function csvSpans(bytes: Uint8Array, options: ScanOptions, from: number, max: number): Span[] {
  const spans: Span[] = [];
  for (let at = from; at < bytes.length && spans.length < max; ) {
    const span = scanRecord(bytes, at, options, true);
    if (span === undefined) break;
    if (span.end > span.start) spans.push(span);
    at = span.next;
  }
  return spans;
}

/** Split some neighbouring records into cells. Each row must have as many as the file has columns. */
export function csvRows(bytes: Buffer, spans: readonly Span[], options: ScanOptions): Row[] {
  const rows: Row[] = [];
  for (let n = 0; n < spans.length; ) {
    let end = n;
    while (end < spans.length && spans[end]?.fault === undefined) end++;
    for (const row of sound(bytes, spans.slice(n, end), options)) rows.push(row);
    const faulty = spans[end];
    if (faulty !== undefined) rows.push(faultyRow(bytes, faulty));
    n = end + 1;
  }
  return rows;
}

function sound(bytes: Buffer, spans: readonly Span[], options: ScanOptions): Row[] {
  const [first, last] = [spans[0], spans.at(-1)];
  if (first === undefined || last === undefined) return [];
  const records = split(bytes.subarray(first.start, last.end), options);
  if (records?.length === spans.length) {
    return records.map((cells, n) => {
      const span = spans[n];
      return span === undefined ||
        options.columns === undefined ||
        cells.length === options.columns ||
        cells.every((c) => c === "")
        ? { cells }
        : faultyRow(bytes, span, wrongCount(cells.length, options.columns));
    });
  }
  // The parser and the scanner disagree somewhere: find the record.
  if (spans.length === 1) return [faultyRow(bytes, first)];
  return spans.flatMap((span) => sound(bytes, [span], options));
}

function wrongCount(found: number, columns: number): RowNote {
  const why = found > columns ? "Is a cell with the delimiter in it not quoted?" : "Is a delimiter missing?";
  return {
    level: "error",
    code: "columns",
    message: `The row has ${found} cells, the header ${columns}. ${why}`,
  };
}

/** The cells of a header line; undefined when it cannot be split. */
export function headerCells(line: Buffer, options: ScanOptions): string[] | undefined {
  const [header] = split(line, options) ?? [];
  return header;
}

function split(bytes: Buffer, options: ScanOptions): string[][] | undefined {
  try {
    return parse(bytes, {
      delimiter: options.delimiter,
      record_delimiter: options.lineEnd === "lf" ? ["\r\n", "\n"] : ["\r"],
      relax_quotes: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    });
  } catch {
    return undefined;
  }
}
