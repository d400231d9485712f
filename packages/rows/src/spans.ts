import { importLimits } from "@proveniq/contracts";

/** Where one record lies in a buffer: `start` to `end` without its line end; the next one begins at `next`. */
export interface Span {
  start: number;
  end: number;
  next: number;
  /** Why it cannot be split into cells. It then is one physical line, so that the lines after it are still read. */
  fault?: "quote" | "too-large" | "columns";
}

export interface ScanOptions {
  delimiter: string;
  /**
   * How many columns the file has: a record over several lines must have exactly as many to be believed. Undefined
   * for a header, which says how many there are.
   */
  columns: number | undefined;
  /** Old Macintosh files end lines by a lone carriage return. */
  lineEnd: "lf" | "cr";
}

const quote = 0x22;
const cr = 0x0d;
const lf = 0x0a;
const space = 0x20;
const tab = 0x09;

/** What ends a line in this text: a lone CR only when there is no LF at all. */
export function lineEndOf(bytes: Uint8Array): "lf" | "cr" {
  return !bytes.includes(lf) && bytes.includes(cr) ? "cr" : "lf";
}

/**
 * Find the CSV record that begins at `at`, by RFC 4180: a quote opens a field only where the field begins (blanks
 * before it allowed), and a line end within quotes belongs to the field. Undefined when `bytes` ends before the
 * record does and more may come (`last` false).
 *
 * A quote that is never closed would swallow the good rows after it. So a record that does not close within the
 * bounds of a row, closes wrongly, or takes several lines and then has the wrong number of columns, is given up
 * as the one line it began with. The answer depends only on the bytes from `at` on: a client that splits a file and a
 * server that reads the pieces count the same records.
 */
export function scanRecord(
  bytes: Uint8Array,
  at: number,
  options: ScanOptions,
  last: boolean,
): Span | undefined {
  const delimiter = options.delimiter.charCodeAt(0);
  const eol = options.lineEnd === "lf" ? lf : cr;
  const limit = Math.min(bytes.length, at + importLimits.rowBytes);
  let columns = 1;
  let lines = 1;
  let fieldStart = true;
  let i = at;
  for (; i < limit; i++) {
    const c = bytes[i];
    if (c === quote && fieldStart) {
      const close = closing(bytes, i + 1, { limit, delimiter, eol, last });
      if (close === "open") {
        if (limit === bytes.length && !last) return undefined;
        return lineAt(bytes, at, eol, last, "quote");
      }
      if (close === "wrong") return lineAt(bytes, at, eol, last, "quote");
      lines += close.lines;
      i = close.at;
      fieldStart = false;
    } else if (c === delimiter) {
      columns++;
      fieldStart = true;
    } else if (c === eol) {
      return ended(i, i + 1);
    } else if (fieldStart && c !== space && c !== tab) {
      fieldStart = false;
    }
  }
  if (limit < bytes.length) return lineAt(bytes, at, eol, last, "too-large");
  return last ? ended(bytes.length, bytes.length) : undefined;

  function ended(end: number, next: number): Span | undefined {
    const expected = options.columns ?? columns;
    if (columns > importLimits.columns || (lines > 1 && columns !== expected)) {
      return lineAt(bytes, at, eol, last, lines > 1 ? "quote" : "columns");
    }
    return { start: at, end: end > at && bytes[end - 1] === cr ? end - 1 : end, next };
  }
}

/** The last byte of a quoted field that opened before `from`, and how many line ends are in it. */
function closing(
  bytes: Uint8Array,
  from: number,
  { limit, delimiter, eol, last }: { limit: number; delimiter: number; eol: number; last: boolean },
): { at: number; lines: number } | "open" | "wrong" {
  let lines = 0;
  for (let i = from; i < limit; i++) {
    const c = bytes[i];
    if (c === eol) lines++;
    if (c !== quote) continue;
    if (bytes[i + 1] === quote && i + 1 < limit) {
      i++;
      continue;
    }
    let after = i + 1;
    while (bytes[after] !== delimiter && (bytes[after] === space || bytes[after] === tab)) after++;
    if (after >= bytes.length) return last ? { at: after - 1, lines } : "open";
    const next = bytes[after];
    return next === delimiter || next === eol || next === cr ? { at: after - 1, lines } : "wrong";
  }
  return "open";
}

/** The physical line at `at`, as a record with a fault. */
function lineAt(
  bytes: Uint8Array,
  at: number,
  eol: number,
  last: boolean,
  fault: NonNullable<Span["fault"]>,
): Span | undefined {
  const end = bytes.indexOf(eol, at);
  if (end < 0) return last ? { start: at, end: bytes.length, next: bytes.length, fault } : undefined;
  return { start: at, end: end > at && bytes[end - 1] === cr ? end - 1 : end, next: end + 1, fault };
}

/** Where the next line with anything in it begins, at `at` or after: a chunk may be a million line ends. */
export function afterEmptyLines(bytes: Uint8Array, at: number, lineEnd: ScanOptions["lineEnd"]): number {
  const eol = lineEnd === "lf" ? lf : cr;
  let next = at;
  for (;;) {
    if (bytes[next] === eol) next++;
    else if (eol === lf && bytes[next] === cr && bytes[next + 1] === lf) next += 2;
    else return next;
  }
}

/** Find the line that begins at `at`: a record of NDJSON. */
export function scanLine(bytes: Uint8Array, at: number, last: boolean): Span | undefined {
  const end = bytes.indexOf(lf, at);
  if (end < 0 && !last) return undefined;
  const stop = end < 0 ? bytes.length : end;
  return {
    start: at,
    end: stop > at && bytes[stop - 1] === cr ? stop - 1 : stop,
    next: end < 0 ? stop : end + 1,
    ...(stop - at > importLimits.rowBytes ? { fault: "too-large" as const } : {}),
  };
}
