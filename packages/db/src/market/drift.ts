import type { Firestore, QueryDocumentSnapshot } from "@google-cloud/firestore";
import type { PublishedValue, ReplicaState } from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { BucketDigests, bucketOf } from "./digest.ts";
import { stateRef, valuesRef } from "./layout.ts";
import { difference, OutOfOrder } from "./replica.ts";
import { stateOf } from "./replica-state.ts";
import { digestDocument, toValueDocument, valueRef } from "./values.ts";

export interface BucketDigest {
  state: ReplicaState;
  digests: BucketDigests;
}

/** The digest of one bucket of a replica as it is stored, and the state that it belongs to, seen at one moment. */
export async function digestBucket(db: Firestore, bucket: number): Promise<BucketDigest> {
  return withinDeadline(operationTimeoutMs, () =>
    db.runTransaction(
      async (tx) => {
        const state = stateOf(await tx.get(stateRef(db)));
        const digests = new BucketDigests();
        const { docs } = await tx.get(
          valuesRef(db).where("bucket", ">=", bucket).where("bucket", "<=", bucket),
        );
        for (const doc of docs) {
          digestDocument(digests, doc);
          // What lies in a bucket where it does not belong makes that one differ, too.
          if (bucketOf(doc.id) !== bucket) digests.spoil(bucket, doc.id);
        }
        return { state, digests };
      },
      { readOnly: true },
    ),
  );
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

/** Make one bucket what it should be, in one transaction. Answers how many documents were wrong. */
export async function repairBucket(db: Firestore, repair: Repair): Promise<number> {
  const { lineage, sequence, bucket, values } = repair;
  return withinDeadline(operationTimeoutMs, () =>
    db.runTransaction(async (tx) => {
      const state = stateOf(await tx.get(stateRef(db)));
      if (state.lineage !== lineage || state.sequence !== sequence || state.rebase !== null) {
        throw new OutOfOrder(`the replica is not at sequence ${sequence} any more`);
      }
      const { sets, deletes } = await difference(tx, db, bucket, bucket, values);
      const named = new Set(values.map((v) => v.marketKey));
      const strays = (repair.strays ?? []).filter((id) => bucketOf(id) === bucket && !named.has(id));
      const wrong = sets.length + deletes.length + strays.length;
      if (wrong === 0) return 0;
      for (const value of sets) tx.set(valueRef(db, value.marketKey), toValueDocument(value));
      for (const ref of deletes) tx.delete(ref);
      for (const id of strays) tx.delete(valueRef(db, id));
      tx.set(stateRef(db), { ...state, revision: state.revision + 1 });
      return wrong;
    }),
  );
}
