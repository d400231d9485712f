import type { DocumentReference, Firestore, Transaction } from "@google-cloud/firestore";
import {
  type BaseGeneration,
  type ChangePage,
  marketLimits,
  type PublishedValue,
  type ReplicaState,
  replicaState,
} from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { stateRef, valuesRef } from "./layout.ts";
import { stateOf } from "./replica-state.ts";
import { isValueDocument, toValueDocument, valueRef } from "./values.ts";

/** Another replicator holds the lease now. */
export class LeaseLost extends Error {
  constructor() {
    super("another replicator holds the lease of this replica");
    this.name = "LeaseLost";
  }
}

/** What was to be applied does not follow what is there. Nothing was written. */
export class OutOfOrder extends Error {
  constructor(message: string) {
    super(message);
    this.name = "OutOfOrder";
  }
}

interface Change {
  next: ReplicaState;
  sets?: readonly PublishedValue[];
  deletes?: readonly DocumentReference[];
}

/**
 * The writing side of a cell's replica, for its replicator alone. Every method is one transaction that reads the
 * state, checks lease and cursor against it, and writes values and state together. So one that was broken off, or
 * run twice, leaves either the state before or the state after.
 */
export class ReplicaWriter {
  readonly #db: Firestore;
  readonly #holder: string;
  readonly #leaseMs: number;

  /** `holder`: unique to this process. `leaseMs`: how long after its last sign of life another may take over. */
  constructor(db: Firestore, holder: string, leaseMs: number) {
    this.#db = db;
    this.#holder = holder;
    this.#leaseMs = leaseMs;
  }

  /** Take the lease, or renew it. Undefined while another replicator holds it. */
  async acquire(): Promise<ReplicaState | undefined> {
    return this.#transact(async (_tx, state, now) => {
      const { lease } = state;
      const free = lease === null || lease.holder === this.#holder || Date.parse(lease.until) <= now;
      return free ? { next: state } : undefined;
    });
  }

  /** Let the next replicator in at once. */
  async release(): Promise<void> {
    await withinDeadline(operationTimeoutMs, () =>
      this.#db.runTransaction(async (tx) => {
        const state = stateOf(await tx.get(stateRef(this.#db)));
        if (state.lease?.holder === this.#holder) tx.set(stateRef(this.#db), { ...state, lease: null });
      }),
    );
  }

  /** Renew the lease and, when the replica equals the centre, say so. */
  async heartbeat(caughtUp: boolean): Promise<ReplicaState> {
    return this.#change(async (_tx, state, now) => ({
      next: caughtUp ? { ...state, caughtUpAt: new Date(now).toISOString() } : state,
    }));
  }

  /** Begin to follow a centre from its first page, in a replica that never had a value. */
  async adopt(lineage: string): Promise<ReplicaState> {
    return this.#change(async (_tx, state) => {
      if (state.lineage === lineage) return { next: state };
      if (state.lineage !== null || state.rebase !== null) throw new OutOfOrder("the replica is not empty");
      return { next: { ...state, lineage } };
    });
  }

  /**
   * Apply the page that follows the cursor. One that was applied before changes nothing; any other is refused.
   * `newest`: the centre has none after it, so that the replica then equals it.
   */
  async applyPage(page: ChangePage, newest: boolean): Promise<ReplicaState> {
    return this.#change(async (_tx, state, now) => {
      if (state.lineage !== page.lineage) throw new OutOfOrder(`page ${page.sequence} is of another lineage`);
      if (state.rebase !== null) throw new OutOfOrder("a base generation is only half applied");
      if (page.sequence <= state.sequence) return { next: state };
      if (page.sequence !== state.sequence + 1) {
        throw new OutOfOrder(`page ${page.sequence} does not follow page ${state.sequence}`);
      }
      return {
        sets: page.upserts.map((value) => ({ ...value, sequence: page.sequence })),
        deletes: page.withdrawn.map((key) => valueRef(this.#db, key)),
        next: {
          ...state,
          sequence: page.sequence,
          revision: state.revision + 1,
          publishedAt: page.publishedAt,
          caughtUpAt: newest ? new Date(now).toISOString() : state.caughtUpAt,
        },
      };
    });
  }

  /** Begin to take over a base generation, bucket by bucket. What is there is served meanwhile. */
  async beginRebase({ lineage, sequence: base }: BaseGeneration): Promise<ReplicaState> {
    const { empty } = await withinDeadline(operationTimeoutMs, () => valuesRef(this.#db).limit(1).get());
    return this.#change(async (_tx, state, now) => {
      if (state.rebase?.lineage === lineage && state.rebase.base === base) return { next: state };
      if (state.lineage === lineage && base < state.sequence) {
        throw new OutOfOrder(`base generation ${base} is older than the replica at ${state.sequence}`);
      }
      const startedAt = new Date(now).toISOString();
      return { next: { ...state, rebase: { lineage, base, nextBucket: 0, sweep: !empty, startedAt } } };
    });
  }

  /** Make the buckets from the rebase's cursor up to `lastBucket` exactly `values`, and move that cursor behind them. */
  async rebaseBuckets(
    base: BaseGeneration,
    firstBucket: number,
    lastBucket: number,
    values: readonly PublishedValue[],
  ): Promise<ReplicaState> {
    return this.#change(async (tx, state) => {
      const { rebase } = state;
      if (rebase?.base !== base.sequence || rebase.lineage !== base.lineage) {
        throw new OutOfOrder(`base generation ${base.sequence} is not being applied`);
      }
      if (rebase.nextBucket > lastBucket) return { next: state };
      if (rebase.nextBucket !== firstBucket) {
        throw new OutOfOrder(`bucket ${firstBucket} does not follow bucket ${rebase.nextBucket - 1}`);
      }
      const { sets, deletes } = rebase.sweep
        ? await difference(tx, this.#db, firstBucket, lastBucket, values)
        : { sets: values, deletes: [] };
      const next = { ...state, revision: state.revision + 1 };
      return { sets, deletes, next: { ...next, rebase: { ...rebase, nextBucket: lastBucket + 1 } } };
    });
  }

  /** The whole base generation is there: go on from its sequence. */
  async finishRebase(base: BaseGeneration, publishedAt: string): Promise<ReplicaState> {
    return this.#change(async (_tx, state) => {
      const { rebase } = state;
      if (rebase === null && state.lineage === base.lineage && state.sequence === base.sequence) {
        return { next: state };
      }
      if (rebase?.base !== base.sequence || rebase.nextBucket !== marketLimits.buckets) {
        throw new OutOfOrder(`base generation ${base.sequence} is not wholly applied`);
      }
      const revision = state.revision + 1;
      const { lineage, sequence } = base;
      return { next: { ...state, lineage, sequence, revision, publishedAt, rebase: null } };
    });
  }

  async #change(
    plan: (tx: Transaction, state: ReplicaState, now: number) => Promise<Change>,
  ): Promise<ReplicaState> {
    const state = await this.#transact(async (tx, state, now) => {
      if (state.lease?.holder !== this.#holder) throw new LeaseLost();
      return plan(tx, state, now);
    });
    if (state === undefined) throw new LeaseLost();
    return state;
  }

  async #transact(
    plan: (tx: Transaction, state: ReplicaState, now: number) => Promise<Change | undefined>,
  ): Promise<ReplicaState | undefined> {
    return withinDeadline(operationTimeoutMs, (expired) =>
      this.#db.runTransaction(async (tx) => {
        const snapshot = await tx.get(stateRef(this.#db));
        // The database's clock, which all replicators share.
        const now = snapshot.readTime.toMillis();
        const change = await plan(tx, stateOf(snapshot), now);
        if (change === undefined) return undefined;
        if (expired()) throw new Error("the time for this step has passed");
        const until = new Date(now + this.#leaseMs).toISOString();
        const next = replicaState.parse({ ...change.next, lease: { holder: this.#holder, until } });
        for (const value of change.sets ?? [])
          tx.set(valueRef(this.#db, value.marketKey), toValueDocument(value));
        for (const ref of change.deletes ?? []) tx.delete(ref);
        tx.set(stateRef(this.#db), next);
        return next;
      }),
    );
  }
}

/** What makes a range of buckets exactly `values`: written is only what differs, deleted all that is not named. */
export async function difference(
  tx: Transaction,
  db: Firestore,
  firstBucket: number,
  lastBucket: number,
  values: readonly PublishedValue[],
): Promise<{ sets: PublishedValue[]; deletes: DocumentReference[] }> {
  const there = await tx.get(
    valuesRef(db).where("bucket", ">=", firstBucket).where("bucket", "<=", lastBucket),
  );
  const present = new Map(there.docs.map((doc) => [doc.id, doc]));
  const sets = values.filter((value) => {
    const doc = present.get(value.marketKey);
    present.delete(value.marketKey);
    return doc === undefined || !isValueDocument(doc, value);
  });
  return { sets, deletes: [...present.values()].map((doc) => doc.ref) };
}
