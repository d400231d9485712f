import { type Claim, claim, isTenantId, tenantLocator } from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { claimRef, tenantRef } from "../paths.ts";
import type { DatabasePool } from "../pool.ts";

export interface LocatedClaim {
  claim: Claim;
  /** The tenant's own database, from the cell's locator and never from a request. */
  databaseId: string;
}

export interface ClaimReaderOptions {
  pool: DatabasePool;
  /** The cell's default database: it holds the locators. */
  defaultDatabase: string;
  /** How long an answer is believed, in milliseconds. Every write looks again in its own transaction. */
  ttlMs?: number;
  /** How many entries of each kind (known, unknown) are kept. */
  maxEntries?: number;
  now?: () => number;
  random?: () => number;
}

interface Entry {
  until: number;
  found: LocatedClaim | undefined;
}

/** Who holds a tenant, cached. A tenant that this cell does not have is `undefined`, and that is cached too. */
export class ClaimReader {
  readonly #pool: DatabasePool;
  readonly #defaultDatabase: string;
  readonly #ttlMs: number;
  readonly #maxEntries: number;
  readonly #now: () => number;
  readonly #random: () => number;
  // Apart, so that a flood of made-up tenants cannot push out the real ones.
  readonly #known = new Map<string, Entry>();
  readonly #unknown = new Map<string, Entry>();
  readonly #reading = new Map<string, Promise<LocatedClaim | undefined>>();

  constructor(options: ClaimReaderOptions) {
    this.#pool = options.pool;
    this.#defaultDatabase = options.defaultDatabase;
    this.#ttlMs = options.ttlMs ?? 5_000;
    this.#maxEntries = options.maxEntries ?? 10_000;
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
  }

  /** The tenant's claim in this cell, at most `ttlMs` old. Rejects with `database-unavailable` when it cannot tell. */
  async read(tenantId: string): Promise<LocatedClaim | undefined> {
    if (!isTenantId(tenantId)) return undefined;
    const cached = this.#known.get(tenantId) ?? this.#unknown.get(tenantId);
    if (cached !== undefined && this.#now() < cached.until) return cached.found;
    const running = this.#reading.get(tenantId);
    if (running !== undefined) return running;
    const reading = this.#load(tenantId, cached?.found?.claim.copies ?? 1).finally(() => {
      // A reader that was told to forget in the meantime has its own, newer read under way.
      if (this.#reading.get(tenantId) === reading) this.#reading.delete(tenantId);
    });
    this.#reading.set(tenantId, reading);
    const found = await reading;
    return found;
  }

  /** Forget a tenant: a write has just been told that its claim changed. */
  forget(tenantId: string): void {
    this.#known.delete(tenantId);
    this.#unknown.delete(tenantId);
    this.#reading.delete(tenantId);
  }

  async #load(tenantId: string, copies: number): Promise<LocatedClaim | undefined> {
    // From before the read: an answer must not be believed for longer than the TTL after it was true.
    const until = this.#now() + this.#ttlMs;
    const found = await withinDeadline(operationTimeoutMs, () => this.#find(tenantId, copies));
    const [into, outOf] = found === undefined ? [this.#unknown, this.#known] : [this.#known, this.#unknown];
    outOf.delete(tenantId);
    into.delete(tenantId);
    into.set(tenantId, { until, found });
    const [oldest] = into.keys();
    if (into.size > this.#maxEntries && oldest !== undefined) into.delete(oldest);
    return found;
  }

  async #find(tenantId: string, copies: number): Promise<LocatedClaim | undefined> {
    const home = await this.#pool.open(this.#defaultDatabase);
    const locator = await tenantRef(home, tenantId).get();
    if (!locator.exists) return undefined;
    const { databaseId } = tenantLocator.parse(locator.data());
    const own = await this.#pool.open(databaseId);
    const copy = await claimRef(own, tenantId, Math.floor(this.#random() * copies)).get();
    return copy.exists ? { claim: claim.parse(copy.data()), databaseId } : undefined;
  }
}
