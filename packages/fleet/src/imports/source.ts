import { createReadStream, type Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { TextDecoder } from "node:util";
import { type ImportFormat, importLimits } from "@proveniq/contracts";
import { bomLength, firstBadByte, scanLine, scanRecord } from "@proveniq/rows";
import { CommandError } from "../cli/errors.ts";
import { type CsvHead, type Delimiter, headBytes, readHeader } from "./header.ts";

/** A partner's file, as far as its first lines tell. */
export interface SourceFile {
  path: string;
  bytes: number;
  modifiedAt: string;
  encoding: string;
  /** Absent: NDJSON. */
  csv?: CsvHead;
}

export interface SourceOptions {
  format: "csv" | "ndjson";
  delimiter?: Delimiter;
  encoding: string;
}

/** Longest part of a row that is read: enough for the cell to see that it is too large. */
const longestRow = importLimits.rowBytes * 2;
const eolOf = { lf: Buffer.from("\n"), cr: Buffer.from("\r") } as const;

/** Open a file and read its header. Throws CommandError with what to do about it. */
export async function openSource(path: string, options: SourceOptions): Promise<SourceFile> {
  const found = await fileAt(path);
  const { format, encoding, delimiter } = options;
  const source = { path, bytes: found.size, modifiedAt: found.mtime.toISOString(), encoding };
  const head = await readHead(source);
  return format === "ndjson" ? source : { ...source, csv: readHeader(path, head, delimiter) };
}

/** A file that is there and can be read again and again: an import that goes on does. */
async function fileAt(path: string): Promise<Stats> {
  const again =
    "can be read only once, and an import that is to go on reads it again. Write it into a file first";
  if (path === "-") throw new CommandError(`Standard input ${again}: cat > book.csv`);
  const found = await stat(path).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw new CommandError(
      ["ENOENT", "ENOTDIR"].includes(code)
        ? `There is no file ${path}.`
        : `${path} cannot be read (${code}).`,
    );
  });
  if (found.isFile()) return found;
  if (found.isDirectory()) throw new CommandError(`${path} is a directory. Name the file in it.`);
  throw new CommandError(`${path} is a pipe or a device: it ${again}: cat ${path} > book.csv`);
}

/** How the file is written, for a cell. Said only where cells would guess otherwise: one of a release before does not know it. */
export function formatOf({ csv }: SourceFile): ImportFormat {
  if (csv === undefined) return { type: "ndjson" };
  const { delimiter, columns, scan } = csv;
  const lineEnd = scan.lineEnd === "cr" ? { lineEnd: scan.lineEnd } : {};
  return { type: "csv", delimiter, columns, header: "none", ...lineEnd };
}

async function readHead(source: Pick<SourceFile, "path" | "encoding">): Promise<Buffer> {
  const { path, encoding } = source;
  const file = await open(path).catch((error: unknown) => {
    throw new CommandError(
      `${path} cannot be read: ${error instanceof Error ? error.message : "no reason"}.`,
    );
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    const head = buffer.subarray(0, bytesRead);
    const [a, b] = head;
    if (a === 0x1f && b === 0x8b) throw new CommandError(`${path} is gzip: unpack it first.`);
    if (a === 0x50 && b === 0x4b) {
      throw new CommandError(`${path} is a ZIP archive or a workbook (.xlsx): save the sheet as CSV first.`);
    }
    if (encoding !== "utf-8") return decode(decoderOf(encoding), head, true, source);
    if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) {
      throw new CommandError(`${path} is UTF-16. Add --encoding ${a === 0xff ? "utf-16le" : "utf-16be"}.`);
    }
    return head;
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

function decode(
  decoder: TextDecoder,
  part: Buffer,
  stream: boolean,
  { path, encoding }: Pick<SourceFile, "path" | "encoding">,
): Buffer {
  try {
    return Buffer.from(decoder.decode(part, { stream }));
  } catch {
    throw new CommandError(`${path} is not ${encoding}.`);
  }
}

/**
 * Every record after the header, in UTF-8 and with its line end, also the last of a file that has none: a cell sees where a record ends
 * by nothing else. Lines without any content are left out. Holds no more of the file than one record and one read.
 */
export async function* recordsOf(source: SourceFile): AsyncGenerator<Buffer> {
  const { csv } = source;
  const next = (bytes: Buffer, at: number, last: boolean) =>
    csv === undefined ? scanLine(bytes, at, last) : scanRecord(bytes, at, csv.scan, last);
  const eol = eolOf[csv?.scan.lineEnd ?? "lf"];
  let pending: Buffer = Buffer.alloc(0);
  let toSkip = csv?.begin;
  let lineSkipped = false;
  for await (const { bytes, last } of utf8Of(source)) {
    pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
    toSkip ??= bomLength(pending);
    if (toSkip > pending.length && !last) continue;
    let at = toSkip;
    toSkip = 0;
    if (lineSkipped) {
      const end = pending.indexOf(eol);
      at = end < 0 ? pending.length : end + 1;
      lineSkipped = end < 0;
    }
    while (at < pending.length) {
      const span = next(pending, at, last);
      if (span === undefined) break;
      if (span.end > span.start) yield withEnd(pending.subarray(span.start, span.next), eol);
      at = span.next;
    }
    pending = pending.subarray(at);
    if (pending.length > longestRow && !pending.includes(eol)) {
      // A line without end: pass on enough of it to be refused as one row, and look for where it ends.
      yield withEnd(pending.subarray(0, characterEnd(pending, importLimits.rowBytes + 4)), eol);
      pending = Buffer.alloc(0);
      lineSkipped = true;
    }
  }
}

function withEnd(record: Buffer, eol: Buffer): Buffer {
  return record.at(-1) === eol[0] ? record : Buffer.concat([record, eol]);
}

/** `at`, or a little before it: where no character is halved. */
function characterEnd(bytes: Buffer, at: number): number {
  let end = at;
  while (end > at - 3 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return end;
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

async function* utf8Of(source: SourceFile): AsyncGenerator<{ bytes: Buffer; last: boolean }> {
  const decoder = source.encoding === "utf-8" ? undefined : decoderOf(source.encoding);
  const convert = (part: Buffer, stream: boolean): Buffer =>
    decoder === undefined ? part : decode(decoder, part, stream, source);
  let before: Buffer | undefined;
  for await (const part of createReadStream(source.path, { highWaterMark: 1024 * 1024 })) {
    if (before !== undefined) yield { bytes: convert(before, true), last: false };
    before = part as Buffer;
  }
  yield { bytes: convert(before ?? Buffer.alloc(0), false), last: true };
}
