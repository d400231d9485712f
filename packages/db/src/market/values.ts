import type { DocumentData, DocumentReference, DocumentSnapshot, Firestore } from "@google-cloud/firestore";
import { type PublishedValue, publishedValue } from "@proveniq/contracts";
import { type BucketDigests, bucketOf } from "./digest.ts";
import { valuesRef } from "./layout.ts";

export function valueRef(db: Firestore, marketKey: string): DocumentReference {
  return valuesRef(db).doc(marketKey);
}

/** The document of a value: its fields, and the bucket it is found by when buckets are compared. */
export function toValueDocument({ marketKey, ...fields }: PublishedValue): DocumentData {
  return { ...fields, bucket: bucketOf(marketKey) };
}

/** Undefined when there is no document. Throws when it holds something else than a value. */
export function fromValueDocument(snapshot: DocumentSnapshot): PublishedValue | undefined {
  const data = snapshot.data();
  if (data === undefined) return undefined;
  const { bucket: _, ...fields } = data;
  return publishedValue.parse({ ...fields, marketKey: snapshot.id });
}

/** True when a document is exactly what `toValueDocument` makes of the value. */
export function isValueDocument(snapshot: DocumentSnapshot, value: PublishedValue): boolean {
  const data = snapshot.data();
  if (data === undefined) return false;
  const wanted = toValueDocument(value);
  const names = Object.keys(wanted);
  return (
    Object.keys(data).length === names.length && names.every((name) => Object.is(data[name], wanted[name]))
  );
}

/** Count a document of `values` into digests. False when it is no sound value, or in a bucket that is not its key's. */
export function digestDocument(digests: BucketDigests, snapshot: DocumentSnapshot): boolean {
  const bucket = bucketOf(snapshot.id);
  try {
    const value = fromValueDocument(snapshot);
    if (value !== undefined && snapshot.get("bucket") === bucket) {
      digests.add(value);
      return true;
    }
  } catch {
    // Counted below: what cannot be read is drift to be repaired, not a reason to stop looking.
  }
  digests.spoil(bucket, snapshot.id);
  return false;
}
