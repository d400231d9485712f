import { ProblemError, setBounded } from "@proveniq/contracts";
import { MissBudgets } from "./miss-budgets.ts";

export interface LookupCacheOptions {
  /** How long an answer is believed, in milliseconds. */
  ttlMs: number;
  /** Entries of each kind, found and missing, that are kept. */
  maxEntries?: number;
  /** Lookups per second that may find nothing, and how many at once, of each payer: strangers make names up. */
  missesPerSecond?: number;
  missBurst?: number;
  now?: () => number;
}

/** What is looked up, and at whose expense if it is not there. */
export interface Lookup {
  key: string;
  /** One of few, and never made up by a caller: such as the tenant whose keys are looked through. */
  payer: string;
}

interface Entry<V> {
  until: number;
  value: V;
}

/**
 * Answers of lookups whose keys come from outside. What is missing is remembered too, apart from what was found, so that a
 * flood of made-up keys can push out nothing real; and when made-up keys come faster than their payer's budget for them,
 * that payer's keys which were never found are refused unasked (`too-many-requests`) while those that were, and all
 * other payers', go on being served. A lookup is paid before it is made, and gets its money back when it finds something.
 */
export class LookupCache<V> {
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  readonly #now: () => number;
  readonly #found = new Map<string, Entry<V>>();
  readonly #missing = new Map<string, Entry<undefined>>();
  readonly #loading = new Map<string, Promise<V | undefined>>();
  readonly #budgets: MissBudgets;

  constructor(options: LookupCacheOptions) {
    this.#ttlMs = options.ttlMs;
    this.#maxEntries = options.maxEntries ?? 10_000;
    this.#now = options.now ?? Date.now;
    this.#budgets = new MissBudgets({
      perSecond: options.missesPerSecond ?? 20,
      burst: options.missBurst ?? 200,
      now: this.#now,
    });
  }

  /**
   * What is cached, or what `load` resolves with: one call for all who wait. It is given what was found last, too
   * old to be believed. Failures are not cached.
   */
  async get(
    { key, payer }: Lookup,
    load: (before: V | undefined) => Promise<V | undefined>,
  ): Promise<V | undefined> {
    const known = this.#found.get(key);
    const cached = known ?? this.#missing.get(key);
    if (cached !== undefined && this.#now() < cached.until) return cached.value;
    const running = this.#loading.get(key);
    if (running !== undefined) return running;
    const paid = known === undefined;
    if (paid && !this.#budgets.take(payer)) throw tooManyMisses();
    const loading = this.#load(key, () => load(known?.value))
      .then(
        (value) => {
          if (paid && value !== undefined) this.#budgets.giveBack(payer);
          return value;
        },
        (error: unknown) => {
          if (paid) this.#budgets.giveBack(payer);
          throw error;
        },
      )
      .finally(() => {
        if (this.#loading.get(key) === loading) this.#loading.delete(key);
      });
    this.#loading.set(key, loading);
    return loading;
  }

  /** Look again at the next `get`. */
  forget(key: string): void {
    this.#found.delete(key);
    this.#missing.delete(key);
    this.#loading.delete(key);
  }

  async #load(key: string, load: () => Promise<V | undefined>): Promise<V | undefined> {
    // From before the read: nothing may be believed for longer than the TTL after it was true.
    const until = this.#now() + this.#ttlMs;
    const value = await load();
    if (value === undefined) {
      this.#found.delete(key);
      setBounded(this.#missing, key, { until, value }, this.#maxEntries);
    } else {
      this.#missing.delete(key);
      setBounded(this.#found, key, { until, value }, this.#maxEntries);
    }
    return value;
  }
}

function tooManyMisses(): ProblemError {
  return new ProblemError("too-many-requests", "Try again in a moment.", { headers: { "retry-after": "1" } });
}
