import type { DocumentReference } from "@google-cloud/firestore";
import { readIds } from "./documents.ts";
import { idBytes, keyAt, keyOf, unpackId } from "./ids.ts";
import { chunkRef } from "./paths.ts";
import { rankRow } from "./rank.ts";

/** An import whose chunks have all arrived, from 1 without a gap. */
export interface WholeImport {
  job: DocumentReference;
  chunks: number;
  rows: number;
}

/** About how many rows' keys are held in memory at once: 8 MB. Of more than 16 million rows it is a sixteenth. */
const mostKeys = 1_000_000;

/** Chunks that are read at once: their ids are 1.3 MB at the most. */
const chunksAtOnce = 16;

/** Bounds of item ids, by their first hex digit: `from` ≤ id < `to`. */
export interface IdRange {
  from: string;
  to: string | undefined;
}

/** As many ranges of ids as are needed to hold the keys of one of them in memory. */
export function idRanges(rows: number): IdRange[] {
  const parts = [1, 2, 4, 8, 16].find((n) => rows / n <= mostKeys) ?? 16;
  const width = 16 / parts;
  return Array.from({ length: parts }, (_, n) => ({
    from: (n * width).toString(16),
    to: n === parts - 1 ? undefined : ((n + 1) * width).toString(16),
  }));
}

/** What the rows of an import name, within a range of ids: a sorted list of keys. */
export class NamedKeys {
  readonly #keys: Float64Array;

  constructor(keys: Float64Array) {
    this.#keys = keys.sort();
  }

  has(id: string): boolean {
    const key = keyOf(id);
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? 0) < key) low = middle + 1;
      else high = middle;
    }
    return this.#keys[low] === key;
  }

  /** Keys that more than one row has. */
  repeated(): Set<number> {
    const found = new Set<number>();
    for (let n = 1; n < this.#keys.length; n++) {
      const key = this.#keys[n];
      if (key !== undefined && key === this.#keys[n - 1]) found.add(key);
    }
    return found;
  }
}

/** Collect the keys of all rows of an import within a range. */
export async function namedKeys(whole: WholeImport, range: IdRange): Promise<NamedKeys> {
  const low = keyOf(range.from.padEnd(13, "0"));
  const high = range.to === undefined ? Number.POSITIVE_INFINITY : keyOf(range.to.padEnd(13, "0"));
  // Ids are hashes: of each range there are as many, a few more or less.
  let keys = new Float64Array(Math.ceil((1.02 * whole.rows) / idRanges(whole.rows).length) + 1024);
  let count = 0;
  for await (const { ids } of packedChunks(whole)) {
    const rows = ids.length / idBytes;
    for (let at = 0; at < rows; at++) {
      const key = keyAt(ids, at);
      if (key === 0 || key < low || key >= high) continue;
      if (count === keys.length) {
        const larger = new Float64Array(Math.ceil(count * 1.25));
        larger.set(keys);
        keys = larger;
      }
      keys[count++] = key;
    }
  }
  return new NamedKeys(keys.subarray(0, count));
}

/** A row by its rank and its number in the file. */
export interface RowPlace {
  chunk: number;
  at: number;
  rank: number;
  row: number;
}

/** Item ids that several rows name, with those rows in order of their rank. */
export async function duplicates(
  whole: WholeImport,
  keys: ReadonlySet<number>,
): Promise<Map<string, RowPlace[]>> {
  const byId = new Map<string, RowPlace[]>();
  if (keys.size === 0) return byId;
  for await (const { chunk, firstRow, ids } of packedChunks(whole)) {
    for (let at = 0; at < ids.length / idBytes; at++) {
      if (!keys.has(keyAt(ids, at))) continue;
      const id = unpackId(ids, at);
      if (id === undefined) continue;
      const place = { chunk, at, rank: rankRow(chunk, at), row: firstRow + at };
      const known = byId.get(id);
      if (known === undefined) byId.set(id, [place]);
      else known.push(place);
    }
  }
  for (const [id, places] of byId) {
    if (places.length < 2) byId.delete(id);
    else places.sort((a, b) => a.rank - b.rank);
  }
  return byId;
}

/** The chunks one after the other, a few at once: the ids of all are 16 bytes for each row, and must not be in memory together. */
async function* packedChunks({ job, chunks }: WholeImport) {
  for (let first = 1; first <= chunks; first += chunksAtOnce) {
    const count = Math.min(chunksAtOnce, chunks - first + 1);
    const refs = Array.from({ length: count }, (_, n) => chunkRef(job, first + n));
    for (const snapshot of await job.firestore.getAll(...refs, { fieldMask: ["chunk", "firstRow", "ids"] })) {
      const [chunk, firstRow]: unknown[] = [snapshot.get("chunk"), snapshot.get("firstRow")];
      yield { chunk: Number(chunk), firstRow: Number(firstRow), ids: readIds(snapshot) };
    }
  }
}
