import type { Firestore, QueryDocumentSnapshot } from "@google-cloud/firestore";
import type { PublishedValue, ReplicaState } from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { commitIfUnchanged } from "./compare-and-set.ts";
import { BucketDigests, bucketOf } from "./digest.ts";
import { stateRef, valuesRef } from "./layout.ts";
import { difference, OutOfOrder } from "./replica.ts";
import { stateOf } from "./replica-state.ts";
import { digestDocument, toValueDocument, valueRef } from "./values.ts";

export interface BucketDigest {
  state: ReplicaState;
  digests: BucketDigests;
}

/**
 * The digest of one bucket of a replica as it is stored, and the state that it belongs to. Undefined when the replica
 * changed while it was read: try again.
 */
export async function digestBucket(db: Firestore, bucket: number): Promise<BucketDigest | undefined> {
  return withinDeadline(operationTimeoutMs, async () => {
    const before = stateOf(await stateRef(db).get());
    const digests = new BucketDigests();
    const { docs } = await valuesRef(db).where("bucket", ">=", bucket).where("bucket", "<=", bucket).get();
    for (const doc of docs) {
      digestDocument(digests, doc);
      // What lies in a bucket where it does not belong makes that one differ, too.
      if (bucketOf(doc.id) !== bucket) digests.spoil(bucket, doc.id);
    }
    const state = stateOf(await stateRef(db).get());
    return state.revision === before.revision ? { state, digests } : undefined;
  });
}

export interface ReplicaScan extends BucketDigest {
  values: number;
  /** Documents that no bucket finds because they are not filed under their key's. */
  strays: string[];
}

/** Read a whole replica in one stream. Undefined when it changed while it was read: try again. */
export async function scanReplica(db: Firestore): Promise<ReplicaScan | undefined> {
  const before = stateOf(await stateRef(db).get());
  const digests = new BucketDigests();
  const strays: string[] = [];
  let values = 0;
  for await (const chunk of valuesRef(db).stream()) {
    const doc = chunk as unknown as QueryDocumentSnapshot;
    values++;
    digestDocument(digests, doc);
    if (doc.get("bucket") !== bucketOf(doc.id)) strays.push(doc.id);
  }
  const state = stateOf(await stateRef(db).get());
  return state.revision === before.revision ? { state, digests, values, strays } : undefined;
}

export interface Repair {
  /** The replica that is repaired must be exactly here; otherwise `OutOfOrder`. */
  lineage: string;
  sequence: number;
  bucket: number;
  /** All that belongs into the bucket. */
  values: readonly PublishedValue[];
  strays?: readonly string[];
}

/** Make one bucket what it should be, in one commit. Answers how many documents were wrong. */
export async function repairBucket(db: Firestore, repair: Repair): Promise<number> {
  const { lineage, sequence, bucket, values } = repair;
  return withinDeadline(operationTimeoutMs, async (expired) => {
    for (;;) {
      const seen = await stateRef(db).get();
      const state = stateOf(seen);
      if (state.lineage !== lineage || state.sequence !== sequence || state.rebase !== null) {
        throw new OutOfOrder(`the replica is not at sequence ${sequence} any more`);
      }
      const { sets, deletes } = await difference(db, bucket, bucket, values);
      const named = new Set(values.map((v) => v.marketKey));
      const strays = (repair.strays ?? []).filter((id) => bucketOf(id) === bucket && !named.has(id));
      const wrong = sets.length + deletes.length + strays.length;
      if (wrong === 0) return 0;
      if (expired()) throw new Error("the time for this repair has passed");
      const next = { ...state, revision: state.revision + 1 };
      const made = await commitIfUnchanged(db, seen, next, (batch) => {
        for (const value of sets) batch.set(valueRef(db, value.marketKey), toValueDocument(value));
        for (const ref of deletes) batch.delete(ref);
        for (const id of strays) batch.delete(valueRef(db, id));
      });
      if (made) return wrong;
    }
  });
}
