import type { DocumentReference, DocumentSnapshot } from "@google-cloud/firestore";
import { readIds } from "./documents.ts";
import { idBytes, keyAt, keyOf, unpackId } from "./ids.ts";
import { rankRow } from "./rank.ts";

/** The most rows whose keys are held in memory at once: 32 MB. */
const mostKeys = 4_000_000;

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
export async function namedKeys(job: DocumentReference, range: IdRange): Promise<NamedKeys> {
  const low = keyOf(range.from.padEnd(13, "0"));
  const high = range.to === undefined ? Number.POSITIVE_INFINITY : keyOf(range.to.padEnd(13, "0"));
  let keys = new Float64Array(1024);
  let count = 0;
  for await (const { ids } of packedChunks(job)) {
    const rows = ids.length / idBytes;
    if (count + rows > keys.length) {
      const larger = new Float64Array(Math.max(keys.length * 2, count + rows));
      larger.set(keys);
      keys = larger;
    }
    for (let at = 0; at < rows; at++) {
      const key = keyAt(ids, at);
      if (key !== 0 && key >= low && key < high) keys[count++] = key;
    }
  }
  return new NamedKeys(keys.slice(0, count));
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
  job: DocumentReference,
  keys: ReadonlySet<number>,
): Promise<Map<string, RowPlace[]>> {
  const byId = new Map<string, RowPlace[]>();
  if (keys.size === 0) return byId;
  for await (const { chunk, firstRow, ids } of packedChunks(job)) {
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

async function* packedChunks(job: DocumentReference) {
  const query = job.collection("chunks").select("chunk", "firstRow", "ids");
  for await (const doc of query.stream()) {
    const snapshot = doc as unknown as DocumentSnapshot;
    const [chunk, firstRow]: unknown[] = [snapshot.get("chunk"), snapshot.get("firstRow")];
    yield { chunk: Number(chunk), firstRow: Number(firstRow), ids: readIds(snapshot) };
  }
}
