import type { IndexDefinitions } from "@proveniq/db/queries";
import { entriesOf } from "./entries.ts";
import { type Refusal, refusalOf, structuredQuery, Transactions } from "./limits.ts";
import { queryOf } from "./query.ts";
import { type HotRange, KeyRanges } from "./ranges.ts";
import { Tombstones } from "./tombstones.ts";
import { textValue } from "./values.ts";
import { fieldsOf, partsOf, textOf } from "./wire.ts";
import { groupOf, parentOf, pathOf, tenantOf, type WriteSeen, writesOf } from "./writes.ts";

export interface ProductionOptions {
  /** Index definitions by the database's id. */
  definitionsOf(database: string): IndexDefinitions;
  /**
   * Milliseconds that a commit takes longer, drawn evenly between the two. Google publishes no figures: regional locations are taken
   * to need 20 to 40, multi-regional ones 40 to 100.
   */
  commitMs?: readonly [least: number, most: number];
  /** Milliseconds; without it the real time. */
  now?: () => number;
  /** Time passes by writes, so many to a second, and not by the clock: what a database ten times as fast would see. */
  simulatedWritesPerSecond?: number;
}

/** What writes and scans did to one collection of one tenant. */
export interface Traffic {
  tenant: string | undefined;
  /** The last part of its path: `items`. */
  collection: string;
  writes: number;
  deletes: number;
  /** Index entries made. Those that a change takes away are not known here. */
  indexEntries: number;
  /** Bytes of the documents written, as they are stored. */
  bytes: number;
  /** Deleted names that scans passed over. Google charges time for them, not money. */
  tombstones: number;
}

const transactionField: Readonly<Record<string, number>> = {
  BatchGetDocuments: 4,
  RunQuery: 5,
  RunAggregationQuery: 4,
  Commit: 3,
  GetDocument: 3,
};
const begunField: Readonly<Record<string, number>> = {
  BeginTransaction: 1,
  BatchGetDocuments: 3,
  RunQuery: 2,
  RunAggregationQuery: 2,
};

/** How a Firestore in production takes what passes: ranges that run hot, deleted names in the way, limits. */
export class Production {
  readonly #options: ProductionOptions;
  readonly #now: () => number;
  readonly #ranges = new KeyRanges();
  readonly #tombstones = new Tombstones();
  readonly #transactions = new Transactions();
  readonly #traffic = new Map<string, Traffic>();
  #written = 0;

  constructor(options: ProductionOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Before a call is handed on: what production says instead. */
  refusal(method: string, request: Buffer): Refusal | undefined {
    const [id] = partsOf(request, transactionField[method] ?? -1);
    const over = id === undefined ? undefined : this.#transactions.use(id, this.#now());
    return over ?? refusalOf(method, request, this.#definitions(request));
  }

  /** One message of an answer. */
  answered(method: string, message: Buffer): void {
    for (const id of partsOf(message, begunField[method] ?? -1)) {
      if (id.length > 0) this.#transactions.began(id, this.#now());
    }
  }

  /** A call ended well. `answers`: ids of the documents it found, in order. */
  ended(method: string, request: Buffer, answers: readonly string[]): void {
    if (method === "Commit") for (const id of partsOf(request, 3)) this.#transactions.ended(id);
    if (method === "Commit" || method === "BatchWrite") {
      const definitions = this.#definitions(request);
      const database = databaseOf(request);
      for (const write of writesOf(request)) this.#write(database, write, definitions);
    }
    const structured = structuredQuery(method, request);
    if (structured === undefined) return;
    const { shape, after, limit, allDescendants } = queryOf(structured);
    if (allDescendants || shape.order.length !== 1 || shape.equal.length > 0) return;
    const parent = pathOf(textOf(request, 1));
    const collection = parent === "" ? shape.collection : `${parent}/${shape.collection}`;
    const full = limit !== undefined && answers.length >= limit;
    const key = `${databaseOf(request)} ${collection}`;
    const passed = this.#tombstones.between(key, after, full ? answers.at(-1) : undefined);
    this.#of(collection).tombstones += passed;
  }

  /** Milliseconds to hold back the answer of a call. */
  delayOf(method: string): number {
    const [least, most] = this.#options.commitMs ?? [0, 0];
    return method === "Commit" || method === "BatchWrite" ? least + Math.random() * (most - least) : 0;
  }

  hot(): HotRange[] {
    return this.#ranges.hot();
  }

  traffic(): Traffic[] {
    return [...this.#traffic.values()].map((each) => ({ ...each }));
  }

  /** Forget what was counted. What is deleted stays in the way. */
  reset(): void {
    this.#traffic.clear();
    this.#ranges.reset();
  }

  #write(database: string, write: WriteSeen, definitions: IndexDefinitions): void {
    const collection = parentOf(write.path);
    const id = write.path.slice(collection.length + 1);
    const space = `${database} ${collection}`;
    if (write.kind === "verify") return;
    const traffic = this.#of(collection);
    const rate = this.#options.simulatedWritesPerSecond;
    const now = rate === undefined ? this.#now() : (1_000 * this.#written++) / rate;
    this.#ranges.touch(space, [textValue(id)], now);
    if (write.kind === "delete") {
      traffic.deletes += 1;
      this.#tombstones.deleted(space, id);
      return;
    }
    traffic.writes += 1;
    traffic.bytes += write.bytes;
    this.#tombstones.written(space, id);
    let before: string | undefined;
    for (const { index, key } of entriesOf(collection, write.fields, definitions)) {
      traffic.indexEntries += 1;
      // Ascending and descending grow at their ends alike: looking at one is enough.
      if (index !== before) this.#ranges.touch(`${space} ${index}`, key, now);
      before = index;
    }
  }

  #of(collection: string): Traffic {
    const named = { tenant: tenantOf(collection), collection: groupOf(collection) };
    const key = JSON.stringify(named);
    const known = this.#traffic.get(key);
    if (known !== undefined) return known;
    const fresh = { ...named, writes: 0, deletes: 0, indexEntries: 0, bytes: 0, tombstones: 0 };
    this.#traffic.set(key, fresh);
    return fresh;
  }

  #definitions(request: Buffer): IndexDefinitions {
    return this.#options.definitionsOf(databaseOf(request).split("/").at(-1) ?? "");
  }
}

/** `projects/p/databases/d`: every request begins with it, or with the name of something in it. */
function databaseOf(request: Buffer): string {
  for (const { number, value } of fieldsOf(request)) {
    if (number === 1 && typeof value !== "bigint")
      return value.toString("utf8").split("/").slice(0, 4).join("/");
  }
  return "";
}

/** Ids of the documents in one message of a query's answer. */
export function foundIn(method: string, message: Buffer): string[] {
  if (method !== "RunQuery") return [];
  return partsOf(message, 1).map((document) => textOf(document, 1).split("/").at(-1) ?? "");
}
