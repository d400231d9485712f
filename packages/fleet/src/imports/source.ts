import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { TextDecoder } from "node:util";
import { type CsvFormat, importLimits } from "@proveniq/contracts";
import {
  bomLength,
  firstBadByte,
  headerCells,
  lineEndOf,
  type ScanOptions,
  scanLine,
  scanRecord,
} from "@proveniq/rows";
import { CommandError } from "../cli/errors.ts";

/** A partner's file, as far as its first line tells. */
export interface SourceFile {
  path: string;
  bytes: number;
  modifiedAt: string;
  encoding: string;
  /** CSV: its columns, and how records are found. */
  csv?: { delimiter: CsvFormat["delimiter"]; columns: string[]; scan: ScanOptions };
}

export interface SourceOptions {
  format: "csv" | "ndjson";
  delimiter?: CsvFormat["delimiter"];
  encoding: string;
}

/** One record of a file: its bytes with the line end. */
export interface FileRecord {
  bytes: Buffer;
  /** True for a line without content, which is no row. */
  empty: boolean;
}

/** Longest part of a row that is read: enough for the cell to see that it is too large. */
const longestRow = importLimits.rowBytes * 2;
const headBytes = 256 * 1024;

/** Open a file and read its header. Throws CommandError with what to do about it. */
export async function openSource(path: string, options: SourceOptions): Promise<SourceFile> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) throw new CommandError(`There is no file ${path}.`);
  const source = {
    path,
    bytes: found.size,
    modifiedAt: found.mtime.toISOString(),
    encoding: options.encoding,
  };
  const head = await readHead(source);
  if (options.format === "ndjson") return source;
  const from = bomLength(head);
  const lineEnd = lineEndOf(head);
  const first = scanRecord(head, from, { delimiter: ",", columns: undefined, lineEnd }, true);
  const delimiter = options.delimiter ?? likeliest(head.toString("utf8", from, first?.end ?? head.length));
  const scan: ScanOptions = { delimiter, columns: undefined, lineEnd };
  const header = scanRecord(head, from, scan, true);
  if (header === undefined || header.end === header.start) throw new CommandError(`${path} is empty.`);
  if (header.next >= head.length && found.size > headBytes) {
    throw new CommandError(
      `The first line of ${path} is longer than ${headBytes / 1024} KiB, so it is no list of columns. Put one before it.`,
    );
  }
  const columns = columnsOf(head.subarray(header.start, header.next), scan, path);
  return { ...source, csv: { delimiter, columns, scan: { ...scan, columns: columns.length } } };
}

async function readHead(source: Pick<SourceFile, "path" | "encoding">): Promise<Buffer> {
  const file = await open(source.path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const head = buffer.subarray(0, bytesRead);
    const [a, b] = head;
    if (source.encoding === "utf-8") {
      if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
        throw new CommandError(
          `${source.path} is UTF-16. Add --encoding ${a === 0xff ? "utf-16le" : "utf-16be"}.`,
        );
      }
      if (a === 0x1f && b === 0x8b) throw new CommandError(`${source.path} is gzip: unpack it first.`);
      return head;
    }
    return Buffer.from(decoderOf(source.encoding).decode(head, { stream: true }));
  } finally {
    await file.close();
  }
}

function decoderOf(encoding: string): TextDecoder {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch {
    throw new CommandError(
      `The encoding ${encoding} is not known here. Try windows-1252, iso-8859-15 or utf-16le.`,
    );
  }
}

/** The delimiter that the header has most of. */
function likeliest(header: string): CsvFormat["delimiter"] {
  const bare = header.replace(/"[^"]*"/g, "");
  const counted = ([",", ";", "\t", "|"] as const).map((d) => ({ d, n: bare.split(d).length }));
  return counted.reduce((best, next) => (next.n > best.n ? next : best)).d;
}

/** The names in a header. */
function columnsOf(line: Buffer, scan: ScanOptions, path: string): string[] {
  const names = headerCells(line, scan)?.map((name) => name.trim());
  if (names === undefined) {
    throw new CommandError(
      `The header of ${path} cannot be read. Is the delimiter ${JSON.stringify(scan.delimiter)}?`,
    );
  }
  if (names.length > importLimits.columns) {
    throw new CommandError(
      `${path} has ${names.length} columns; an import takes ${importLimits.columns}. Leave out some.`,
    );
  }
  const odd = names.find((name, n) => name === "" || names.indexOf(name) !== n);
  if (odd === undefined) return names;
  const why = odd === "" ? "has a column without a name" : `has the column ${JSON.stringify(odd)} twice`;
  throw new CommandError(`The header of ${path} ${why}. Give every column a name of its own.`);
}

/** Every record after the header, in UTF-8. Holds no more of the file than one record and one read. */
export async function* recordsOf(source: SourceFile): AsyncGenerator<FileRecord> {
  const { csv } = source;
  const next = (bytes: Buffer, at: number, last: boolean) =>
    csv === undefined ? scanLine(bytes, at, last) : scanRecord(bytes, at, csv.scan, last);
  let pending: Buffer = Buffer.alloc(0);
  let first = true;
  let headerDue = csv !== undefined;
  let skipping = false;
  for await (const { bytes, last } of utf8Of(source)) {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    let at = first ? bomLength(pending) : 0;
    first = false;
    if (skipping) {
      const end = pending.indexOf(0x0a);
      if (end < 0) {
        pending = Buffer.alloc(0);
        continue;
      }
      at = end + 1;
      skipping = false;
    }
    while (at < pending.length) {
      const span = next(pending, at, last);
      if (span === undefined) break;
      const record = { bytes: pending.subarray(span.start, span.next), empty: span.end === span.start };
      at = span.next;
      if (record.empty) continue;
      if (headerDue) headerDue = false;
      else yield record;
    }
    pending = pending.subarray(at);
    if (pending.length > longestRow && !pending.includes(0x0a)) {
      // A line without end: pass on enough of it to be refused as one row, and look for where it ends.
      yield {
        bytes: Buffer.concat([pending.subarray(0, importLimits.rowBytes + 1), Buffer.from("\n")]),
        empty: false,
      };
      pending = Buffer.alloc(0);
      skipping = true;
    }
  }
}

/** Throws with what to do when some rows of a file are not UTF-8. */
export function requireUtf8(bytes: Buffer, firstRow: number, path: string): void {
  const bad = firstBadByte(bytes);
  if (bad === undefined) return;
  const row = firstRow + bytes.subarray(0, bad).filter((b) => b === 0x0a).length;
  throw new CommandError(
    `${path} is not UTF-8, about row ${row}. If it comes from a spreadsheet, add --encoding windows-1252.`,
  );
}

async function* utf8Of({ path, encoding }: SourceFile): AsyncGenerator<{ bytes: Buffer; last: boolean }> {
  const decoder = encoding === "utf-8" ? undefined : decoderOf(encoding);
  const convert = (part: Buffer, stream: boolean): Buffer => {
    if (decoder === undefined) return part;
    try {
      return Buffer.from(decoder.decode(part, { stream }));
    } catch {
      throw new CommandError(`${path} is not ${encoding}.`);
    }
  };
  let before: Buffer | undefined;
  for await (const part of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    if (before !== undefined) yield { bytes: convert(before, true), last: false };
    before = part as Buffer;
  }
  yield { bytes: convert(before ?? Buffer.alloc(0), false), last: true };
}
