import { type CsvFormat, columnName, importLimits } from "@proveniq/contracts";
import {
  bomLength,
  columnNameOf,
  firstBadByte,
  headerCells,
  lineEndOf,
  type ScanOptions,
  type Span,
  scanRecord,
  unnamedColumn,
} from "@proveniq/rows";
import { CommandError } from "../cli/errors.ts";

export type Delimiter = CsvFormat["delimiter"];
const delimiters: readonly Delimiter[] = [",", ";", "\t", "|"];

/** How a CSV file is written, as its first lines tell. */
export interface CsvHead {
  delimiter: Delimiter;
  columns: string[];
  scan: ScanOptions;
  /** Bytes before the first row: byte order mark, blank lines, Excel's `sep=;`, header. */
  begin: number;
}

/** Bytes of a file that are read to find its header. */
export const headBytes = 256 * 1024;

/** Read the header of a file from its first bytes. Throws CommandError with what to do about it. */
export function readHeader(path: string, head: Buffer, asked: Delimiter | undefined): CsvHead {
  const lineEnd = likeliestEnd(head);
  const plain: ScanOptions = { delimiter: ",", columns: undefined, lineEnd };
  const line = (span: Span) => head.toString("utf8", span.start, span.end);
  let first = nextLine(head, bomLength(head), plain);
  const said = first === undefined ? undefined : /^"?sep=(.)"?$/iu.exec(line(first))?.[1];
  if (first !== undefined && said !== undefined) first = nextLine(head, first.next, plain);
  if (first === undefined) throw new CommandError(`${path} is empty.`);
  const delimiter = asked ?? (said === undefined ? likeliest(line(first)) : known(said, path));
  const scan = { ...plain, delimiter };
  const header = scanRecord(head, first.start, scan, true) ?? first;
  if (header.next >= head.length && head.length >= headBytes) {
    throw new CommandError(
      `The first line of ${path} is longer than ${headBytes / 1024} KiB, so it is no list of columns. Put one before it.`,
    );
  }
  const bytes = head.subarray(header.start, header.next);
  if (firstBadByte(bytes) !== undefined) {
    throw new CommandError(
      `The header of ${path} is not UTF-8. If it comes from a spreadsheet, add --encoding windows-1252.`,
    );
  }
  const columns = columnsOf(bytes, scan, path);
  return { delimiter, columns, scan: { ...scan, columns: columns.length }, begin: header.next };
}

/** What most lines end with. Breaks within quotes do not count: in an old Macintosh file they may be the only line feeds. */
function likeliestEnd(head: Buffer): ScanOptions["lineEnd"] {
  const [quote, cr, lf] = [0x22, 0x0d, 0x0a];
  let isQuoted = false;
  const ends = { cr: 0, lf: 0 };
  for (let at = 0; at < head.length; at++) {
    const c = head[at];
    if (c === quote) isQuoted = !isQuoted;
    else if (c === lf && !isQuoted) ends.lf++;
    else if (c === cr && !isQuoted && head[at + 1] !== lf) ends.cr++;
  }
  if (ends.cr + ends.lf === 0) return lineEndOf(head);
  return ends.cr > ends.lf ? "cr" : "lf";
}

/** The next record that is not blank. */
function nextLine(head: Buffer, from: number, options: ScanOptions): Span | undefined {
  for (let at = from; at < head.length; ) {
    const span = scanRecord(head, at, options, true);
    if (span === undefined) return undefined;
    if (head.toString("utf8", span.start, span.end).trim() !== "") return span;
    at = span.next;
  }
  return undefined;
}

function known(said: string, path: string): Delimiter {
  const found = delimiters.find((delimiter) => delimiter === said);
  if (found !== undefined) return found;
  throw new CommandError(
    `${path} begins with sep=${said}: an import takes comma, semicolon, tab or pipe. Write it with one of these.`,
  );
}

/** The delimiter that the header has most of. */
function likeliest(header: string): Delimiter {
  const bare = header.replace(/"[^"]*"/g, "");
  const counted = delimiters.map((d) => ({ d, n: bare.split(d).length }));
  return counted.reduce((best, next) => (next.n > best.n ? next : best)).d;
}

/** The names in a header. Where it ends with delimiters the last columns have no names; they get their places. */
function columnsOf(line: Buffer, scan: ScanOptions, path: string): string[] {
  const names = headerCells(line, scan)?.map(columnNameOf);
  if (names === undefined) {
    throw new CommandError(
      `The header of ${path} cannot be read. Is the delimiter ${JSON.stringify(scan.delimiter)}?`,
    );
  }
  const named = names.findLastIndex((name) => name !== "") + 1;
  for (let n = named; n < names.length; n++) names[n] = unnamedColumn(n + 1);
  if (names.length > importLimits.columns) {
    throw new CommandError(
      `${path} has ${names.length} columns; an import takes ${importLimits.columns}. Leave out some.`,
    );
  }
  const refuse = (why: string, what = "Give every column a name of its own.") => {
    throw new CommandError(`The header of ${path} ${why}. ${what}`);
  };
  const seen = new Set<string>();
  for (const [n, name] of names.entries()) {
    if (name === "") refuse(`has a column without a name, its ${n + 1}${ordinal(n + 1)}`);
    if (seen.has(name)) refuse(`has the column ${JSON.stringify(short(name))} twice`);
    seen.add(name);
    if (name.length > 200) {
      refuse(
        `has a column name of ${name.length} characters, ${JSON.stringify(short(name))}`,
        "Is it a header? A name has at most 200.",
      );
    }
    if (!columnName.safeParse(name).success) {
      refuse(`has control characters in the name ${JSON.stringify(short(name))}`, "Leave them out.");
    }
  }
  return names;
}

const short = (name: string) => (name.length > 40 ? `${name.slice(0, 40)}…` : name);

function ordinal(n: number): string {
  const teen = n % 100 >= 11 && n % 100 <= 13;
  return (teen ? undefined : { 1: "st", 2: "nd", 3: "rd" }[n % 10]) ?? "th";
}
