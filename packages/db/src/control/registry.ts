import type { DocumentReference, Firestore, Transaction } from "@google-cloud/firestore";
import {
  type AuditRecord,
  auditRecord,
  type DirectorySnapshot,
  epoch,
  hostname,
  isTenantId,
  type Placement,
  placement,
  tenantId,
} from "@proveniq/contracts";
import { z } from "zod";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import type { DatabasePool } from "../pool.ts";
import { openPublication, publishedVersions, readPublished } from "./published.ts";

/** Who makes an administrative change, and from which host or address. */
export type Origin = Pick<AuditRecord, "who" | "from">;

/** All placements as of one moment. Two snapshots of the same version are equal. */
export interface RegistrySnapshot {
  version: number;
  placements: Placement[];
  /** Tenants that were taken out on purpose, with their last epochs. */
  removed: Record<string, number>;
}

/** What is kept of a tenant that was taken out: if it comes back, its epoch goes on from there. */
const removal = z.strictObject({ tenantId, epoch, at: z.iso.datetime() });

/**
 * The registry in the central project's control database: which cell holds which tenant. Every change is one
 * transaction, leaves an audit record, and counts up the version of the directory.
 */
export class Registry {
  readonly #pool: DatabasePool;
  readonly #databaseId: string;

  constructor(pool: DatabasePool, databaseId: string) {
    this.#pool = pool;
    this.#databaseId = databaseId;
  }

  /**
   * Records a new tenant. `added` is false when exactly this placement is there already (its dates aside), so that an
   * interrupted command can be repeated. Throws when the tenant is placed otherwise or a host is another tenant's.
   */
  async add(wanted: Placement, origin: Origin): Promise<{ placement: Placement; added: boolean }> {
    const checked = placement.parse(wanted);
    return this.#run(async (db, expired) =>
      db.runTransaction(async (tx) => {
        const ref = placementRef(db, checked.tenantId);
        const hosts = checked.hosts.map((host) => hostRef(db, host));
        const [there, counter, ...taken] = await tx.getAll(ref, counterRef(db), ...hosts);
        if (there?.exists) {
          const present = placement.parse(there.data());
          if (!samePlace(present, checked))
            throw new Error(`tenant ${checked.tenantId} exists: ${placeOf(present)}`);
          return { placement: present, added: false };
        }
        for (const host of taken) {
          if (host.exists)
            throw new Error(`host ${host.id} belongs to tenant ${String(host.get("tenantId"))}`);
        }
        if (expired()) throw new Error("the time for this change has passed");
        tx.create(ref, checked);
        tx.delete(removedRef(db, checked.tenantId));
        for (const host of hosts) tx.create(host, { tenantId: checked.tenantId });
        bump(tx, counterRef(db), counter?.get("version"));
        const { cellId, databaseId, epoch, hosts: names } = checked;
        this.#audit(tx, db, {
          ...origin,
          at: checked.createdAt,
          action: "tenant.add",
          target: checked.tenantId,
          detail: { cellId, databaseId, epoch, hosts: names.join(" ") },
        });
        return { placement: checked, added: true };
      }),
    );
  }

  /**
   * Takes a tenant out, with its hosts, and remembers its last epoch. False when it is not there. Throws when it is placed
   * otherwise than whoever asks has seen.
   */
  async remove(seen: Placement, origin: Origin, at: string): Promise<boolean> {
    return this.#run((db, expired) =>
      db.runTransaction(async (tx) => {
        const ref = placementRef(db, seen.tenantId);
        const [there, counter] = await tx.getAll(ref, counterRef(db));
        if (there?.exists !== true) return false;
        const present = placement.parse(there.data());
        if (!samePlace(present, seen))
          throw new Error(`tenant ${seen.tenantId} has changed meanwhile: ${placeOf(present)}`);
        if (expired()) throw new Error("the time for this change has passed");
        const { cellId, databaseId, hosts } = present;
        tx.delete(ref);
        for (const host of hosts) tx.delete(hostRef(db, host));
        tx.set(removedRef(db, seen.tenantId), { tenantId: seen.tenantId, epoch: present.epoch, at });
        bump(tx, counterRef(db), counter?.get("version"));
        this.#audit(tx, db, {
          ...origin,
          at,
          action: "tenant.remove",
          target: seen.tenantId,
          detail: { cellId, databaseId, epoch: present.epoch, hosts: hosts.join(" ") },
        });
        return true;
      }),
    );
  }

  /** The last epoch of a tenant that was taken out; undefined for any other. */
  async removedEpoch(id: string): Promise<number | undefined> {
    return this.#run(async (db) => {
      const snapshot = await removedRef(db, id).get();
      return snapshot.exists ? removal.parse(snapshot.data()).epoch : undefined;
    });
  }

  /** One tenant's placement; undefined when it has none. */
  async get(tenantId: string): Promise<Placement | undefined> {
    if (!isTenantId(tenantId)) return undefined;
    return this.#run(async (db) => {
      const snapshot = await placementRef(db, tenantId).get();
      return snapshot.exists ? placement.parse(snapshot.data()) : undefined;
    });
  }

  /** Every placement, and the version of the directory that they make; as of one moment. */
  async snapshot(): Promise<RegistrySnapshot> {
    return this.#run((db) =>
      db.runTransaction(
        async (tx) => {
          const counter = await tx.get(counterRef(db));
          const { docs } = await tx.get(db.collection("placements"));
          const gone = (await tx.get(db.collection("removed"))).docs.map((d) => removal.parse(d.data()));
          return {
            version: versionOf(counter.get("version")),
            placements: docs.map((d) => placement.parse(d.data())),
            removed: Object.fromEntries(gone.map((each) => [each.tenantId, each.epoch])),
          };
        },
        { readOnly: true },
      ),
    );
  }

  /**
   * Records a directory as published, with an audit record; the counter takes over its version, which must be greater.
   * False, and nothing is recorded, when the registry is no longer at version `from`.
   */
  async recordPublished(from: number, snapshot: DirectorySnapshot, record: AuditRecord): Promise<boolean> {
    return this.#run((db, expired) =>
      db.runTransaction(async (tx) => {
        const publication = await openPublication(tx, db, snapshot, counterRef(db));
        // The first attempt may have been committed and its answer lost.
        if (publication.mine) return true;
        if (versionOf(publication.counter) !== from || snapshot.version <= from) return false;
        if (expired()) throw new Error("the time for this change has passed");
        publication.record();
        tx.set(counterRef(db), { version: snapshot.version });
        this.#audit(tx, db, record);
        return true;
      }),
    );
  }

  /** What was published under a version; undefined when it is not kept. */
  async published(version: number): Promise<DirectorySnapshot | undefined> {
    return this.#run((db) => readPublished(db, version));
  }

  /** The versions of the last directories that were published, oldest first: those that `published` can give. */
  async publishedVersions(): Promise<number[]> {
    return this.#run(publishedVersions);
  }

  /** Counts up the directory's version: what is published next is newer than all before, even if no tenant changed. */
  async bumpVersion(): Promise<void> {
    await this.#run((db) =>
      db.runTransaction(async (tx) => {
        const counter = await tx.get(counterRef(db));
        bump(tx, counterRef(db), counter.get("version"));
      }),
    );
  }

  /** Records a change that is made elsewhere, and not in one transaction with its record. */
  async record(record: AuditRecord): Promise<void> {
    const checked = auditRecord.parse(record);
    await this.#run(async (db) => {
      // Of one id: a second attempt, after an answer was lost, writes the same record.
      await db.collection("audit").doc().set(checked);
    });
  }

  /** Every audit record, oldest first. */
  async audit(): Promise<AuditRecord[]> {
    return this.#run(async (db) => {
      const { docs } = await db.collection("audit").get();
      return docs.map((d) => auditRecord.parse(d.data())).sort((a, b) => a.at.localeCompare(b.at));
    });
  }

  #audit(tx: Transaction, db: Firestore, record: AuditRecord): void {
    tx.create(db.collection("audit").doc(), auditRecord.parse(record));
  }

  #run<T>(work: (db: Firestore, expired: () => boolean) => Promise<T>): Promise<T> {
    return withinDeadline(operationTimeoutMs, async (expired) =>
      work(await this.#pool.open(this.#databaseId), expired),
    );
  }
}

function placementRef(db: Firestore, tenantId: string): DocumentReference {
  return db.collection("placements").doc(tenantId);
}

function removedRef(db: Firestore, id: string): DocumentReference {
  if (!isTenantId(id)) throw new Error("not a tenant id");
  return db.collection("removed").doc(id);
}

/** One document a host: so that two tenants cannot take the same one at once. */
function hostRef(db: Firestore, host: string): DocumentReference {
  return db.collection("hosts").doc(hostname.parse(host));
}

function counterRef(db: Firestore): DocumentReference {
  return db.collection("counters").doc("directory");
}

function bump(tx: Transaction, ref: DocumentReference, present: unknown): void {
  tx.set(ref, { version: versionOf(present) + 1 });
}

function versionOf(stored: unknown): number {
  return typeof stored === "number" ? stored : 0;
}

/** Equal but for their dates. */
function samePlace(a: Placement, b: Placement): boolean {
  return placeOf(a) === placeOf(b) && a.residency === b.residency;
}

function placeOf({ name, cellId, databaseId, epoch, hosts }: Placement): string {
  return `"${name}", cell ${cellId}, database ${databaseId}, epoch ${epoch}, hosts ${hosts.toSorted().join(", ") || "none"}`;
}
