import type { DocumentSnapshot, Query, QueryDocumentSnapshot } from "@google-cloud/firestore";
import { fromDocument, type ItemRecord } from "../items/document.ts";
import { itemsRef } from "../paths.ts";
import type { Existing, Found } from "./plan.ts";
import { lowestOf } from "./ranges.ts";
import type { Group } from "./rows.ts";
import type { Work } from "./work.ts";

/** Items that are got by name at once. */
const gotAtOnce = 300;

/** How items are found: all in order of id, those of the source likewise, or none but by name. */
type Mode = "all" | "source" | "names";

/**
 * Finds what the book has of an import's ids, range by range upwards, with few reads: one pass over all items in order of their
 * ids, given up when most of them are of no concern. A full import then passes over its source's, any other gets its ids by name.
 */
export class Lookup {
  readonly #work: Work;
  readonly #source: string;
  readonly #full: boolean;
  readonly #ranges: number;
  #mode: Mode;
  #stream: AsyncIterator<QueryDocumentSnapshot> | undefined;
  #next: QueryDocumentSnapshot | undefined;
  /** Items that a pass over all has read, and what reading otherwise would have. */
  #read = 0;
  #otherwise = 0;

  constructor(work: Work, import_: { source: string; full: boolean; ranges: number; rows: number }) {
    this.#work = work;
    this.#source = import_.source;
    this.#full = import_.full;
    this.#ranges = import_.ranges;
    this.#mode = import_.rows > work.step.limits.few ? "all" : import_.full ? "source" : "names";
  }

  /** What there is of a range. Ranges are asked for upwards. */
  async range(range: number, groups: readonly Group[]): Promise<Found> {
    const ids = new Set<string>();
    for (const { id, rows } of groups) if (rows.some((row) => row.op !== "n")) ids.add(id);
    const named = new Set(groups.map(({ id }) => id));
    if (this.#mode === "all") {
      const found = await this.#pass(range, ids, named);
      if (found !== undefined) return found;
      await this.close();
      this.#mode = this.#full ? "source" : "names";
    }
    if (this.#mode === "names") return { existing: await this.#get([...ids]), gone: [], ofSource: 0 };
    const found = await this.#pass(range, ids, named);
    if (found === undefined) throw new Error("a pass over one source is not given up");
    const others = await this.#get([...ids].filter((id) => !found.existing.has(id)));
    return { ...found, existing: new Map([...found.existing, ...others]) };
  }

  async close(): Promise<void> {
    await this.#stream?.return?.();
    this.#stream = undefined;
    this.#next = undefined;
  }

  /** Go on with the pass to the end of the range; undefined when it is not worth it. */
  async #pass(
    range: number,
    ids: ReadonlySet<string>,
    named: ReadonlySet<string>,
  ): Promise<Found | undefined> {
    const existing = new Map<string, Existing>();
    const gone: { id: string; bytes: number }[] = [];
    let ofSource = 0;
    const low = lowestOf(range, this.#ranges);
    const end = lowestOf(range + 1, this.#ranges);
    this.#otherwise += ids.size;
    if (this.#stream === undefined) {
      const stream = this.#query(low).stream() as unknown as AsyncIterable<QueryDocumentSnapshot>;
      this.#stream = stream[Symbol.asyncIterator]();
      await this.#advance();
    }
    while (this.#next !== undefined && this.#next.id < end) {
      const document = this.#next;
      this.#read++;
      const own = this.#full && document.get("importSource") === this.#source;
      // What lies before belongs to ranges that another call has decided.
      if (document.id >= low) {
        if (own) ofSource++;
        if (own && !ids.has(document.id)) this.#otherwise++;
        if (ids.has(document.id)) addTo(existing, document);
        else if (own && !named.has(document.id)) gone.push({ id: document.id, bytes: bytesOf(document) });
      }
      if (this.#mode === "all" && this.#read > 1.2 * this.#otherwise + this.#work.step.limits.few)
        return undefined;
      await this.#advance();
    }
    return { existing, gone, ofSource };
  }

  async #advance(): Promise<void> {
    const next = await this.#stream?.next();
    this.#next = next === undefined || next.done === true ? undefined : next.value;
  }

  #query(from: string): Query {
    const items = itemsRef(this.#work.firestore, this.#work.binding.tenantId);
    const all = this.#mode === "source" ? items.where("importSource", "==", this.#source) : items;
    const ordered = all.orderBy("__name__");
    return from === "" ? ordered : ordered.startAt(from);
  }

  async #get(ids: readonly string[]): Promise<Map<string, Existing>> {
    const items = itemsRef(this.#work.firestore, this.#work.binding.tenantId);
    const existing = new Map<string, Existing>();
    for (let n = 0; n < ids.length; n += gotAtOnce) {
      const refs = ids.slice(n, n + gotAtOnce).map((id) => items.doc(id));
      for (const document of await this.#work.firestore.getAll(...refs)) addTo(existing, document);
    }
    return existing;
  }
}

function addTo(existing: Map<string, Existing>, document: DocumentSnapshot): void {
  const data = document.data();
  if (data === undefined) return;
  existing.set(document.id, { data, record: () => recordOf(document), bytes: bytesOf(document) });
}

function recordOf(document: DocumentSnapshot): ItemRecord {
  const record = fromDocument(document);
  if (record === undefined) throw new Error("an item that was there is gone");
  return record;
}

function bytesOf(document: DocumentSnapshot): number {
  const body: unknown = document.get("body");
  return 300 + (typeof body === "string" ? body.length : 0);
}
