import { type Claim, claim, isTenantId, tenantLocator } from "@proveniq/contracts";
import { LookupCache, type LookupCacheOptions } from "../access/lookup-cache.ts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { claimRef, tenantRef } from "../paths.ts";
import type { DatabasePool } from "../pool.ts";

export interface LocatedClaim {
  claim: Claim;
  /** The tenant's own database, from the cell's locator and never from a request. */
  databaseId: string;
}

/** The cache's bounds may be set; an answer is believed for 5 s, and every write looks again in its own transaction. */
export interface ClaimReaderOptions extends Partial<LookupCacheOptions> {
  pool: DatabasePool;
  /** The cell's default database: it holds the locators. */
  defaultDatabase: string;
  random?: () => number;
}

/**
 * Ids that no tenant has are paid for by nobody, so all of them share one budget. It is large because tenants that this
 * instance has not seen yet wait behind it, and a look at a locator costs little.
 */
const strangers = { missesPerSecond: 200, missBurst: 2_000 };

/** Who holds a tenant, cached. A tenant that this cell does not have is `undefined`, and that is cached too. */
export class ClaimReader {
  readonly #pool: DatabasePool;
  readonly #defaultDatabase: string;
  readonly #random: () => number;
  readonly #cache: LookupCache<LocatedClaim>;

  constructor({ pool, defaultDatabase, random = Math.random, ...cache }: ClaimReaderOptions) {
    this.#pool = pool;
    this.#defaultDatabase = defaultDatabase;
    this.#random = random;
    this.#cache = new LookupCache({ ttlMs: 5_000, ...strangers, ...cache });
  }

  /**
   * The tenant's claim in this cell, at most `ttlMs` old. Rejects with `database-unavailable` when it cannot tell,
   * and with `too-many-requests` for a tenant never seen while others that do not exist are asked for in floods.
   */
  async read(tenantId: string): Promise<LocatedClaim | undefined> {
    if (!isTenantId(tenantId)) return undefined;
    return this.#cache.get({ key: tenantId, payer: "strangers" }, (before) =>
      withinDeadline(operationTimeoutMs, () => this.#find(tenantId, before?.claim.copies ?? 1)),
    );
  }

  /** Forget a tenant: a write has just been told that its claim changed. */
  forget(tenantId: string): void {
    this.#cache.forget(tenantId);
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
