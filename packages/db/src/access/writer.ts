import type { Firestore, Transaction } from "@google-cloud/firestore";
import {
  type ApiKeyRecord,
  type AuditRecord,
  apiKeyRecord,
  auditRecord,
  defaultTenantSettings,
  type TenantSettings,
  tenantSettings,
} from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { apiKeysRef, auditRef, settingsRef } from "../paths.ts";
import type { DatabasePool } from "../pool.ts";
import type { TenantPlace } from "./reader.ts";

/** What a change comes to; without `apply` there is nothing to change, and nothing is recorded. */
interface Step<T> {
  result: T;
  apply?: () => void;
}

/**
 * Keys and settings of one tenant, for its operators. Each change and its audit record are one transaction in the
 * tenant's own database, so that neither can be without the other and none of it leaves the tenant's residency.
 */
export class AccessWriter {
  readonly #pool: DatabasePool;
  readonly #place: TenantPlace;

  constructor(pool: DatabasePool, place: TenantPlace) {
    this.#pool = pool;
    this.#place = place;
  }

  /** Every key the tenant has or had, oldest first. */
  async keys(): Promise<ApiKeyRecord[]> {
    return this.#run(async (db) => {
      const { docs } = await apiKeysRef(db, this.#place.tenantId).get();
      return docs
        .map((doc) => apiKeyRecord.parse(doc.data()))
        .sort((a, b) => a.createdAt.localeCompare(b.createdAt) || a.keyId.localeCompare(b.keyId));
    });
  }

  /** Add a key; the same one again changes nothing. Resolves with what is stored. Throws when another key has its id. */
  async addKey(record: ApiKeyRecord, audit: AuditRecord): Promise<ApiKeyRecord> {
    const checked = apiKeyRecord.parse(record);
    return this.#change<ApiKeyRecord>(audit, async (tx, db) => {
      const ref = apiKeysRef(db, this.#place.tenantId).doc(checked.keyId);
      const snapshot = await tx.get(ref);
      if (!snapshot.exists) return { result: checked, apply: () => tx.create(ref, checked) };
      const present = apiKeyRecord.parse(snapshot.data());
      if (present.secretHash === checked.secretHash) return { result: present };
      throw new Error(`another key of ${this.#place.tenantId} has the id ${checked.keyId}`);
    });
  }

  /** Revoke a key for good; undefined when there is none of this id, its record unchanged when it was revoked before. */
  async revokeKey(keyId: string, audit: AuditRecord): Promise<ApiKeyRecord | undefined> {
    const id = apiKeyRecord.shape.keyId.parse(keyId);
    return this.#change<ApiKeyRecord | undefined>(audit, async (tx, db) => {
      const ref = apiKeysRef(db, this.#place.tenantId).doc(id);
      const snapshot = await tx.get(ref);
      if (!snapshot.exists) return { result: undefined };
      const present = apiKeyRecord.parse(snapshot.data());
      if (present.revokedAt !== null) return { result: present };
      const revoked = { ...present, revokedAt: audit.at };
      return { result: revoked, apply: () => tx.set(ref, revoked) };
    });
  }

  async settings(): Promise<Readonly<TenantSettings>> {
    return this.#run(async (db) => stored(await settingsRef(db, this.#place.tenantId).get()));
  }

  /** Change some settings; the others stay. Resolves with all of them. */
  async changeSettings(change: Partial<TenantSettings>, audit: AuditRecord): Promise<TenantSettings> {
    return this.#change(audit, async (tx, db) => {
      const ref = settingsRef(db, this.#place.tenantId);
      const next = tenantSettings.parse({ ...stored(await tx.get(ref)), ...change });
      return { result: next, apply: () => tx.set(ref, next) };
    });
  }

  /** The audit record is also the mark by which a rerun, after a commit whose reply was lost, knows that it is done. */
  async #change<T>(
    audit: AuditRecord,
    work: (tx: Transaction, db: Firestore) => Promise<Step<T>>,
  ): Promise<T> {
    const record = auditRecord.parse(audit);
    return this.#run((db) => {
      const mark = auditRef(db).doc();
      return db.runTransaction(async (tx) => {
        const done = (await tx.get(mark)).exists;
        const { result, apply } = await work(tx, db);
        if (done || apply === undefined) return result;
        apply();
        tx.create(mark, record);
        return result;
      });
    });
  }

  #run<T>(work: (db: Firestore) => Promise<T>): Promise<T> {
    return withinDeadline(operationTimeoutMs, async () =>
      work(await this.#pool.open(this.#place.databaseId)),
    );
  }
}

function stored(snapshot: { exists: boolean; data(): unknown }): Readonly<TenantSettings> {
  return snapshot.exists ? tenantSettings.parse(snapshot.data()) : defaultTenantSettings;
}

/** The administrative changes recorded in one database, oldest first. */
export async function readAudit(pool: DatabasePool, databaseId: string): Promise<AuditRecord[]> {
  return withinDeadline(operationTimeoutMs, async () => {
    const { docs } = await auditRef(await pool.open(databaseId)).get();
    return docs.map((doc) => auditRecord.parse(doc.data())).sort((a, b) => a.at.localeCompare(b.at));
  });
}
