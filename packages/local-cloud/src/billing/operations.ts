import { fieldsOf } from "./wire.ts";

/** What Firestore would bill: https://cloud.google.com/firestore/pricing */
export interface Billed {
  reads: number;
  writes: number;
  deletes: number;
}

const entriesPerRead = 1_000;

/** Counts one call by its name, its request, and the messages of its answer. What fails costs nothing here. */
export class BilledCall {
  readonly #method: string;
  readonly #requested: Billed = { reads: 0, writes: 0, deletes: 0 };
  #documents = 0;
  #aggregated = 0n;

  /** `path`: `/google.firestore.v1.Firestore/Commit`. */
  constructor(path: string) {
    this.#method = path.slice(path.lastIndexOf("/") + 1);
  }

  request(message: Buffer): void {
    if (this.#method !== "Commit" && this.#method !== "BatchWrite") return;
    for (const { number, value } of fieldsOf(message)) {
      if (number !== 2 || !Buffer.isBuffer(value)) continue;
      const kinds = [...fieldsOf(value)].map((field) => field.number);
      // A write is an update (1) or a transform (6), a deletion (2), or only looks whether something is there (5).
      if (kinds.includes(2)) this.#requested.deletes++;
      else if (kinds.includes(1) || kinds.includes(6)) this.#requested.writes++;
      else this.#requested.reads++;
    }
  }

  answer(message: Buffer): void {
    for (const { number, value } of fieldsOf(message)) {
      // A document that is not there (2) is a read as well.
      if (this.#method === "BatchGetDocuments" && (number === 1 || number === 2)) this.#documents++;
      else if (number !== 1) continue;
      else if (this.#method === "RunQuery" || this.#method === "ListDocuments") this.#documents++;
      else if (this.#method === "RunAggregationQuery" && Buffer.isBuffer(value))
        this.#aggregated += largest(value);
    }
  }

  /** What the call cost, once it has ended well. */
  end(): Billed {
    const { reads, writes, deletes } = this.#requested;
    const least = this.#method === "RunQuery" || this.#method === "ListDocuments" ? 1 : 0;
    if (this.#method === "GetDocument") this.#documents = 1;
    const aggregated =
      this.#method === "RunAggregationQuery"
        ? Math.max(1, Math.ceil(Number(this.#aggregated) / entriesPerRead))
        : 0;
    return { reads: reads + Math.max(least, this.#documents) + aggregated, writes, deletes };
  }
}

/** The largest whole number among the results (2: name → value) of an aggregation: a count is as many index entries. */
function largest(result: Buffer): bigint {
  let most = 0n;
  for (const entry of fieldsOf(result)) {
    if (entry.number !== 2 || !Buffer.isBuffer(entry.value)) continue;
    for (const side of fieldsOf(entry.value)) {
      if (side.number !== 2 || !Buffer.isBuffer(side.value)) continue;
      for (const { number, value } of fieldsOf(side.value))
        if (number === 2 && typeof value === "bigint" && value > most) most = value;
    }
  }
  return most;
}
