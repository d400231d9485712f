import type { DocumentReference, Firestore } from "@google-cloud/firestore";
import {
  type BaseGeneration,
  type ChangePage,
  marketLimits,
  type PublishedValue,
  type ReplicaState,
  replicaState,
} from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { OwnLease } from "../lease/lease.ts";
import { commitIfUnchanged } from "./compare-and-set.ts";
import { stateRef, valuesRef } from "./layout.ts";
import { stateOf } from "./replica-state.ts";
import { isValueDocument, toValueDocument, valueRef } from "./values.ts";

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
 * The writing side of a cell's replica, for its replicator alone. Every method reads the state, checks lease and cursor
 * against it, and writes values and state in one commit that is only made if the state is still as it was read. So one
 * that was broken off, or made twice, leaves either the state before or the state after.
 */
export class ReplicaWriter {
  readonly #db: Firestore;
  readonly #lease: OwnLease;

  /** `holder`: unique to this process. `leaseMs`: how long after its last sign of life another may take over. */
  constructor(db: Firestore, holder: string, leaseMs: number) {
    this.#db = db;
    this.#lease = new OwnLease("this replica", holder, leaseMs);
  }

  /** Take the lease, or renew it. Undefined while another replicator holds it. */
  async acquire(): Promise<ReplicaState | undefined> {
    return this.#attempt(async (state, now) => {
      const free = this.#lease.mayTake(state.lease, now);
      return free ? { next: { ...state, lease: this.#lease.from(now) } } : undefined;
    });
  }

  /** Let the next replicator in at once. */
  async release(): Promise<void> {
    await this.#attempt(async (state) =>
      this.#lease.holds(state.lease) ? { next: { ...state, lease: null } } : undefined,
    );
  }

  /** Renew the lease and, when the replica equals the centre, say so. */
  async heartbeat(caughtUp: boolean): Promise<ReplicaState> {
    return this.#change(async (state, now) => ({
      next: caughtUp ? { ...state, caughtUpAt: new Date(now).toISOString() } : state,
    }));
  }

  /** Begin to follow a centre from its first page, in a replica that never had a value. */
  async adopt(lineage: string): Promise<ReplicaState> {
    return this.#change(async (state) => {
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
    return this.#change(async (state, now) => {
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
    return this.#change(async (state, now) => {
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
    return this.#change(async (state) => {
      const { rebase } = state;
      if (rebase?.base !== base.sequence || rebase.lineage !== base.lineage) {
        throw new OutOfOrder(`base generation ${base.sequence} is not being applied`);
      }
      if (rebase.nextBucket > lastBucket) return { next: state };
      if (rebase.nextBucket !== firstBucket) {
        throw new OutOfOrder(`bucket ${firstBucket} does not follow bucket ${rebase.nextBucket - 1}`);
      }
      const { sets, deletes } = rebase.sweep
        ? await difference(this.#db, firstBucket, lastBucket, values)
        : { sets: values, deletes: [] };
      const next = { ...state, revision: state.revision + 1 };
      return { sets, deletes, next: { ...next, rebase: { ...rebase, nextBucket: lastBucket + 1 } } };
    });
  }

  /** The whole base generation is there: go on from its sequence. */
  async finishRebase(base: BaseGeneration, publishedAt: string): Promise<ReplicaState> {
    return this.#change(async (state) => {
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

  async #change(plan: (state: ReplicaState, now: number) => Promise<Change>): Promise<ReplicaState> {
    const state = await this.#attempt(async (state, now) => {
      this.#lease.check(state.lease);
      const change = await plan(state, now);
      return { ...change, next: { ...change.next, lease: this.#lease.from(now) } };
    });
    if (state === undefined) throw this.#lease.lost();
    return state;
  }

  /** Plan from the state as it is and make the change; plan anew when the state has changed meanwhile. */
  async #attempt(
    plan: (state: ReplicaState, now: number) => Promise<Change | undefined>,
  ): Promise<ReplicaState | undefined> {
    return withinDeadline(operationTimeoutMs, async (expired) => {
      for (;;) {
        const seen = await stateRef(this.#db).get();
        // The database's clock, which all replicators share.
        const change = await plan(stateOf(seen), seen.readTime.toMillis());
        if (change === undefined) return undefined;
        if (expired()) throw new Error("the time for this step has passed");
        const next = replicaState.parse(change.next);
        const made = await commitIfUnchanged(this.#db, seen, next, (batch) => {
          for (const value of change.sets ?? []) {
            batch.set(valueRef(this.#db, value.marketKey), toValueDocument(value));
          }
          for (const ref of change.deletes ?? []) batch.delete(ref);
        });
        if (made) return next;
      }
    });
  }
}

/**
 * What makes a range of buckets exactly `values`: written is only what differs, deleted all that is not named. Whoever
 * commits it must see that the replica's state has not changed since before this was asked.
 */
export async function difference(
  db: Firestore,
  firstBucket: number,
  lastBucket: number,
  values: readonly PublishedValue[],
): Promise<{ sets: PublishedValue[]; deletes: DocumentReference[] }> {
  const there = await valuesRef(db)
    .where("bucket", ">=", firstBucket)
    .where("bucket", "<=", lastBucket)
    .get();
  const present = new Map(there.docs.map((doc) => [doc.id, doc]));
  const sets = values.filter((value) => {
    const doc = present.get(value.marketKey);
    present.delete(value.marketKey);
    return doc === undefined || !isValueDocument(doc, value);
  });
  return { sets, deletes: [...present.values()].map((doc) => doc.ref) };
}
