import { hash } from "node:crypto";
import { promisify } from "node:util";
import { deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from "node:zlib";
import type { DocumentData, DocumentReference } from "@google-cloud/firestore";
import { type ItemFacts, type ItemInput, importLimits, ProblemError } from "@proveniq/contracts";
import { factsOf, namesOfNew } from "../items/changes.ts";
import { defined, headOf } from "../items/document.ts";
import { rowsRef } from "./paths.ts";
import { bucketOf, shareOf } from "./ranges.ts";
import type { StagedChunk } from "./types.ts";

const packAside = promisify(deflateRaw);
const unpackAside = promisify(inflateRaw);
/** Bytes that are packed, or unpacked, at once: with fewer, handing them to another thread costs more than doing it. */
const atOnce = 128 * 1024;

async function pack(bytes: Buffer): Promise<Buffer> {
  return bytes.length > atOnce ? packAside(bytes, { level: 1 }) : deflateRawSync(bytes, { level: 1 });
}

/** `expected`: bytes that it unpacks to, about. */
async function unpack(bytes: Uint8Array, expected: number): Promise<Buffer> {
  const options = { maxOutputLength: partBytes * 6 };
  return expected > atOnce ? unpackAside(bytes, options) : inflateRawSync(bytes, options);
}

/** Bytes of kept rows in one document before they are packed; a row that does not fit has one of its own. */
const partBytes = 3 * 1024 * 1024;
/** Bytes in one document, below Firestore's 1 MiB. */
const documentBytes = 900 * 1024;
/** Bytes of rows, before they were packed, that are read at once. */
const readAtOnce = 8 * 1024 * 1024;
/** Bytes of one range that fit into memory. More are only there when very many rows name very few things. */
const mostBytes = 96 * 1024 * 1024;
const idLength = 32;

/** The id of the thing that an external id names; as `itemIdFor` makes it, faster. */
export function importedId(externalId: string): string {
  return hash("sha256", JSON.stringify(["item", "book", externalId]), "hex").slice(0, idLength);
}

/** What a kept row asks for. `name`: it was refused, but it names its thing. */
export type StagedOp =
  | { op: "upsert"; input: ItemInput & { externalId: string } }
  | { op: "delete" }
  | { op: "name" };

const letters = { upsert: "u", delete: "d", name: "n" } as const;

/** Collects the rows of one chunk, bucket by bucket, as the documents they will be. */
export class RowPacker {
  readonly #lines: string[];
  readonly #sizes: number[];
  readonly #parts: Promise<Buffer[]>[][];
  readonly bytes: number[];

  constructor(buckets: number) {
    const empty = Array.from({ length: buckets }, (_, n) => n);
    this.#lines = empty.map(() => "");
    this.#sizes = empty.map(() => 0);
    this.#parts = empty.map(() => []);
    this.bytes = empty.map(() => 0);
  }

  /** Keep the row at a place of the chunk. */
  add(at: number, externalId: string, row: StagedOp): void {
    const id = importedId(externalId);
    const bucket = shareOf(id, this.bytes.length);
    const line = `${id}${at} ${letters[row.op]}${row.op === "upsert" ? textOf(row.input) : ""}\n`;
    this.#lines[bucket] += line;
    const size = (this.#sizes[bucket] ?? 0) + line.length;
    this.#sizes[bucket] = size;
    if (size > partBytes) this.#flush(bucket);
  }

  /** The packed documents' contents: for each bucket its parts. */
  async end(): Promise<Buffer[][]> {
    for (const bucket of this.bytes.keys()) this.#flush(bucket);
    return Promise.all(this.#parts.map(async (parts) => (await Promise.all(parts)).flat()));
  }

  #flush(bucket: number): void {
    const text = this.#lines[bucket] ?? "";
    if (text === "") return;
    this.#lines[bucket] = "";
    this.#sizes[bucket] = 0;
    const bytes = Buffer.from(text);
    this.bytes[bucket] = (this.bytes[bucket] ?? 0) + bytes.length;
    this.#parts[bucket]?.push(packed(bytes));
  }
}

/** Whole lines as packed pieces of which each fits into a document. */
async function packed(lines: Buffer): Promise<Buffer[]> {
  const bytes = await pack(lines);
  if (bytes.length <= documentBytes) return [bytes];
  const middle = lines.lastIndexOf(10, lines.length / 2) + 1 || lines.indexOf(10) + 1;
  if (middle >= lines.length) throw new Error("a row is too long to be kept");
  return (await Promise.all([packed(lines.subarray(0, middle)), packed(lines.subarray(middle))])).flat();
}

/** The document of one part. */
export function rowsDocument(lines: Buffer, expiresAt: Date): DocumentData {
  return { lines, expiresAt };
}

/** A kept row. */
export interface StagedRow {
  chunk: number;
  at: number;
  /** Its number in the file. */
  row: number;
  op: "u" | "d" | "n";
  /** What an upsert asks for; see `textOf`. */
  text: string;
}

/** The rows that name one thing, in the order of the file. */
export interface Group {
  id: string;
  rows: StagedRow[];
}

/** A part of a chunk is gone: it must be put again. */
export class RowsMissing extends Error {
  readonly chunk: number;
  constructor(chunk: number) {
    super(`rows of chunk ${chunk} are missing`);
    this.chunk = chunk;
  }
}

/**
 * Load the rows of one range of ids, grouped by the thing they name, by id. `chunks`: in the order of the file. Throws
 * `RowsMissing`, and `import-closed` when they are more than fit into memory.
 */
export async function loadRange(
  job: DocumentReference,
  chunks: readonly StagedChunk[],
  range: number,
  ranges: number,
): Promise<Group[]> {
  const [buckets = 1] = chunks.map((c) => c.parts.length);
  const bucket = bucketOf(range, ranges, buckets);
  const wanted = chunks.flatMap((chunk) =>
    Array.from({ length: chunk.parts[bucket] ?? 0 }, (_, part) => ({
      chunk,
      ref: rowsRef(job, { bucket, chunk: chunk.chunk, digest: chunk.digest, part }),
    })),
  );
  const found: { id: string; row: StagedRow }[] = [];
  let kept = 0;
  for (const batch of batches(wanted, bucket)) {
    const documents = await job.firestore.getAll(...batch.map(({ ref }) => ref));
    const texts = await Promise.all(
      documents.map(async (document, i) => {
        const bytes: unknown = document.get("lines");
        const chunk = batch[i]?.chunk;
        if (chunk === undefined || !(bytes instanceof Uint8Array)) throw new RowsMissing(chunk?.chunk ?? 0);
        return { chunk, text: (await unpack(bytes, sizeOf(chunk, bucket))).toString("utf8") };
      }),
    );
    for (const { chunk, text } of texts) {
      kept += readLines(text, chunk, (id) => ranges === buckets || shareOf(id, ranges) === range, found);
      if (kept > mostBytes) throw tooManyOfFew();
    }
  }
  return grouped(found);
}

/** About how many bytes of rows one document of a chunk's bucket unpacks to. */
function sizeOf({ parts, bytes }: StagedChunk, bucket: number): number {
  return (bytes[bucket] ?? 0) / Math.max(1, parts[bucket] ?? 1);
}

/** Documents that are read together. */
function* batches<W extends { chunk: StagedChunk }>(wanted: readonly W[], bucket: number): Generator<W[]> {
  let batch: W[] = [];
  let bytes = 0;
  for (const one of wanted) {
    const size = sizeOf(one.chunk, bucket);
    if (batch.length > 0 && (bytes + size > readAtOnce || batch.length >= 200)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(one);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

/** Read the lines whose id is wanted; answers how many bytes they have. */
function readLines(
  text: string,
  { chunk, firstRow }: StagedChunk,
  wanted: (id: string) => boolean,
  found: { id: string; row: StagedRow }[],
): number {
  let kept = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\n", start);
    const id = text.slice(start, start + idLength);
    if (wanted(id)) {
      const blank = text.indexOf(" ", start + idLength);
      const at = Number(text.slice(start + idLength, blank));
      const op = text[blank + 1];
      if (op !== "u" && op !== "d" && op !== "n") throw new Error("a kept row cannot be read");
      found.push({ id, row: { chunk, at, row: firstRow + at, op, text: text.slice(blank + 2, end) } });
      kept += end - start;
    }
    start = end + 1;
  }
  return kept;
}

function grouped(found: { id: string; row: StagedRow }[]): Group[] {
  // Stable: the rows of one id stay in the order of the file.
  found.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const groups: Group[] = [];
  let last: Group | undefined;
  for (const { id, row } of found) {
    if (last?.id === id) last.rows.push(row);
    else {
      last = { id, rows: [row] };
      groups.push(last);
    }
  }
  return groups;
}

function tooManyOfFew(): ProblemError {
  return new ProblemError(
    "import-closed",
    "Very many rows of the file name very few things: more than can be held at once. Is externalId what names a thing?",
  );
}

const span = 8192;
if (span < importLimits.chunkRows) throw new Error("rows of a chunk must fit into their part of a mark");

/** What an item's document remembers of the row that decided about it: chunk and place as one number. */
export function markOf({ chunk, at }: Pick<StagedRow, "chunk" | "at">): number {
  return chunk * span + at;
}

/**
 * What an upsert asks for, in the parts that are needed apart, between tabs: which fields it names, its countable facts, and the
 * begin of the body that its item will have. A thing that is new, or the same as it was, is then written or known without reading
 * more of it.
 */
export function textOf(input: ItemInput): string {
  return `${namesOfNew(input)}\t${JSON.stringify(factsOf(input))}\t${headOf(input, true)}`;
}

/** Those parts. `changed`: the fields that a thing made of it has. */
export interface Wanted {
  changed: (keyof ItemInput)[];
  facts: Omit<ItemFacts, "ownerId"> & Pick<ItemInput, "ownerId">;
  head: string;
}

/** Read what an upsert asks for, as far as it must be read for a thing that is new or the same. */
export function wantedOf({ text }: StagedRow): Wanted {
  const first = text.indexOf("\t");
  const second = text.indexOf("\t", first + 1);
  return {
    changed: namesOf(text.slice(0, first)),
    facts: JSON.parse(text.slice(first + 1, second)) as Wanted["facts"],
    head: text.slice(second + 1),
  };
}

const known = new Map<string, Wanted["changed"]>();

/** Most rows of a file name the same fields. */
function namesOf(text: string): Wanted["changed"] {
  let names = known.get(text);
  if (names === undefined) {
    names = text.split(",") as (keyof ItemInput)[];
    known.set(text, names);
  }
  return names;
}

/** The whole input that an upsert asks for. */
export function inputOf(row: StagedRow): ItemInput {
  const { facts, head } = wantedOf(row);
  const { ownerId, category, marketKey } = facts;
  return defined({ ...(JSON.parse(`${head}}`) as ItemInput), ownerId, category, marketKey });
}
