import type { Firestore } from "@google-cloud/firestore";
import {
  ProblemError,
  type PublishedValue,
  type ReplicaState,
  type ReplicaStatus,
} from "@proveniq/contracts";
import { withinDeadline } from "../failures.ts";
import { stateRef } from "./layout.ts";
import { stateOf } from "./replica-state.ts";
import { fromValueDocument, valueRef } from "./values.ts";

export interface MarketReaderOptions {
  /** Gives the cell's market database: a client that refuses to write. */
  open: () => Promise<Firestore>;
  /** How often the state of the replica is looked at while values are read, in milliseconds. */
  pollMs?: number;
  /** Without a read for so long, polling rests. */
  idleMs?: number;
  /** How long a read may wait for the database. */
  timeoutMs?: number;
  /** How many values are kept in memory (about 300 bytes each). */
  maxEntries?: number;
  now?: () => number;
}

export interface FoundValues {
  /** By key; a key without a published value is not in it. */
  values: ReadonlyMap<string, PublishedValue>;
  replica: ReplicaStatus;
}

/** `null`: known to have no value. */
type Values = Map<string, PublishedValue | null>;

/**
 * Market values of this cell's replica, from memory when they were read since its last change. There is nothing on
 * it that writes. A change is seen a poll after it arrived; while the database is away, what is known is served.
 */
export class MarketReader {
  readonly #options: Required<MarketReaderOptions>;
  #state: ReplicaState | undefined;
  #polledAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;
  #polling: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #usedAt = 0;
  #closed = false;
  // Both of the present revision only; a new one begins with empty ones.
  #cache: Values = new Map();
  #loading = new Map<string, Promise<Values>>();

  constructor(options: MarketReaderOptions) {
    this.#options = {
      pollMs: 1_000,
      idleMs: 60_000,
      timeoutMs: 2_000,
      maxEntries: 50_000,
      now: Date.now,
      ...options,
    };
  }

  /**
   * The values of some keys, in at most one round trip. Rejects with `ProblemError("database-unavailable")` when
   * one of them is not in memory and the database does not answer.
   */
  async values(keys: readonly string[]): Promise<FoundValues> {
    await this.#recent();
    // From before the values are read: they may be newer than it says, never older.
    const replica = this.#status();
    // Before anything is waited for: what is loaded meanwhile may push others out.
    const known = new Map(keys.map((key) => [key, this.#cache.get(key)]));
    const loaded = await this.#load(keys.filter((key) => known.get(key) === undefined));
    const values = new Map<string, PublishedValue>();
    for (const key of keys) {
      const value = known.get(key) ?? loaded?.get(key);
      if (value !== undefined && value !== null) values.set(key, value);
    }
    return { values, replica };
  }

  /** How fresh the replica is. Rejects when that was never known and the database does not answer. */
  async status(): Promise<ReplicaStatus> {
    await this.#recent();
    return this.#status();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #status(): ReplicaStatus {
    const { sequence, caughtUpAt } = this.#state ?? { sequence: 0, caughtUpAt: null };
    if (caughtUpAt === null) return { sequence, ageSeconds: null };
    const age = Math.floor((this.#options.now() - Date.parse(caughtUpAt)) / 1_000);
    return { sequence, ageSeconds: Math.max(0, age) };
  }

  /** Waits only when the timer has not kept the state recent: at the first read, and after the process slept. */
  async #recent(): Promise<void> {
    const { now, pollMs } = this.#options;
    this.#usedAt = now();
    this.#keepPolling();
    if (now() - Math.max(this.#polledAt, this.#failedAt) < 2 * pollMs) {
      if (this.#state === undefined) throw unreachable();
      return;
    }
    await this.#poll().catch((error: unknown) => {
      if (this.#state === undefined) throw error;
      // The values that are known are still the newest that this cell has.
    });
  }

  #keepPolling(): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => {
      // A poll that fails is made up for by the next one; a read that needs it asks again and says why.
      void this.#poll()
        .catch(() => {})
        .finally(() => {
          this.#timer = undefined;
          if (this.#options.now() - this.#usedAt < this.#options.idleMs) this.#keepPolling();
        });
    }, this.#options.pollMs).unref();
  }

  #poll(): Promise<void> {
    this.#polling ??= this.#look().finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  async #look(): Promise<void> {
    const { now, open, timeoutMs } = this.#options;
    const began = now();
    try {
      const state = stateOf(await withinDeadline(timeoutMs, async () => stateRef(await open()).get()));
      if (this.#state?.revision !== state.revision || this.#state.lineage !== state.lineage) {
        this.#cache = new Map();
        this.#loading = new Map();
      }
      this.#state = state;
      this.#polledAt = began;
    } catch (error) {
      this.#failedAt = now();
      throw error;
    }
  }

  /** Reads what is missing into the cache of the present revision: should that change meanwhile, nobody looks there again. */
  async #load(keys: readonly string[]): Promise<Values | undefined> {
    if (keys.length === 0) return undefined;
    if (this.#failedAt > this.#polledAt) throw unreachable();
    const loading = this.#loading;
    const fresh = [...new Set(keys)].filter((key) => !loading.has(key));
    if (fresh.length > 0) {
      const batch = this.#fetch(this.#cache, fresh).finally(() => {
        for (const key of fresh) loading.delete(key);
      });
      for (const key of fresh) loading.set(key, batch);
    }
    const batches = new Set(
      keys.flatMap((key): Promise<Values>[] => {
        const batch = loading.get(key);
        return batch === undefined ? [] : [batch];
      }),
    );
    return new Map((await Promise.all(batches)).flatMap((batch) => [...batch]));
  }

  async #fetch(cache: Values, keys: readonly string[]): Promise<Values> {
    const { open, timeoutMs, maxEntries } = this.#options;
    const found = await withinDeadline(timeoutMs, async () => {
      const db = await open();
      return db.getAll(...keys.map((key) => valueRef(db, key)));
    });
    const values: Values = new Map(found.map((doc) => [doc.id, fromValueDocument(doc) ?? null]));
    for (const [key, value] of values) cache.set(key, value);
    for (const oldest of cache.keys()) {
      if (cache.size <= maxEntries) break;
      cache.delete(oldest);
    }
    return values;
  }
}

function unreachable(): ProblemError {
  return new ProblemError("database-unavailable", "The market values of this cell cannot be read just now.", {
    headers: { "retry-after": "2" },
  });
}
