import {
  type ApiKeyRecord,
  apiKeyRecord,
  defaultTenantSettings,
  type TenantSettings,
  tenantSettings,
} from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { apiKeysRef, settingsRef } from "../paths.ts";
import type { DatabasePool } from "../pool.ts";
import { LookupCache, type LookupCacheOptions } from "./lookup-cache.ts";

/** Where a tenant's data is, as its claim was found. */
export interface TenantPlace {
  tenantId: string;
  databaseId: string;
}

export interface AccessReaderOptions extends Partial<LookupCacheOptions> {
  pool: DatabasePool;
}

/** A revoked key or a changed setting is felt within this time, in milliseconds. */
const defaultTtlMs = 5_000;

/** Keys and settings of a cell's tenants, cached. Rejects with `database-unavailable` when it cannot tell. */
export class AccessReader {
  readonly #pool: DatabasePool;
  readonly #keys: LookupCache<ApiKeyRecord>;
  readonly #settings: LookupCache<Readonly<TenantSettings>>;

  constructor({ pool, ...options }: AccessReaderOptions) {
    this.#pool = pool;
    const cache = { ttlMs: defaultTtlMs, ...options };
    this.#keys = new LookupCache(cache);
    this.#settings = new LookupCache(cache);
  }

  /** The record of a key, revoked and expired ones too; undefined when the tenant has none of this id. */
  async key({ tenantId, databaseId }: TenantPlace, keyId: string): Promise<ApiKeyRecord | undefined> {
    if (!apiKeyRecord.shape.keyId.safeParse(keyId).success) return undefined;
    const payer = `${databaseId} ${tenantId}`;
    return this.#keys.get({ key: `${payer} ${keyId}`, payer }, () =>
      withinDeadline(operationTimeoutMs, async () => {
        const firestore = await this.#pool.open(databaseId);
        const snapshot = await apiKeysRef(firestore, tenantId).doc(keyId).get();
        return snapshot.exists ? apiKeyRecord.parse(snapshot.data()) : undefined;
      }),
    );
  }

  /** The tenant's settings; the defaults when it has set nothing. */
  async settings({ tenantId, databaseId }: TenantPlace): Promise<Readonly<TenantSettings>> {
    const key = `${databaseId} ${tenantId}`;
    const found = await this.#settings.get({ key, payer: key }, () =>
      withinDeadline(operationTimeoutMs, async () => {
        const snapshot = await settingsRef(await this.#pool.open(databaseId), tenantId).get();
        return snapshot.exists ? tenantSettings.parse(snapshot.data()) : defaultTenantSettings;
      }),
    );
    return found ?? defaultTenantSettings;
  }
}
