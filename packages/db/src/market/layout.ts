import type { CollectionReference, DocumentReference, Firestore } from "@google-cloud/firestore";
import { marketLimits } from "@proveniq/contracts";

// The central market database, written by the publisher only:
//   centre/head                     marketHead, the one document that replicas poll
//   centre/digests                  a digest per bucket at the head's sequence
//   changes/{sequence}              change pages
//   bases/{sequence}                base generations, with parts/{n}
// A cell's market database, written by its replicator only:
//   replica/state                   replicaState
//   values/{marketKey}              one value

/** Zero-padded, so that names sort as numbers do. Pages come one at a time, each with a write of the head: no hot spot. */
const numbered = (n: number) => String(n).padStart(12, "0");

export const headRef = (db: Firestore): DocumentReference => db.doc("centre/head");
export const digestsRef = (db: Firestore): DocumentReference => db.doc("centre/digests");
export const changesRef = (db: Firestore): CollectionReference => db.collection("changes");
export const changeRef = (db: Firestore, sequence: number): DocumentReference =>
  changesRef(db).doc(numbered(sequence));
export const basesRef = (db: Firestore): CollectionReference => db.collection("bases");
export const baseRef = (db: Firestore, sequence: number): DocumentReference =>
  basesRef(db).doc(numbered(sequence));
export const partRef = (db: Firestore, sequence: number, part: number): DocumentReference =>
  baseRef(db, sequence).collection("parts").doc(numbered(part));

export const stateRef = (db: Firestore): DocumentReference => db.doc("replica/state");
export const valuesRef = (db: Firestore): CollectionReference => db.collection("values");

/** A page or part as one blob: one field without an index, whatever is in it. Throws when a document cannot hold it. */
export function toBlob(content: unknown): Buffer {
  const bytes = Buffer.from(JSON.stringify(content), "utf8");
  if (bytes.length > marketLimits.bytes) {
    throw new Error(
      `${bytes.length} bytes of market values are more than the ${marketLimits.bytes} of one document`,
    );
  }
  return bytes;
}

export function fromBlob(blob: unknown): unknown {
  if (!(blob instanceof Uint8Array)) throw new Error("a document of market values without its blob");
  return JSON.parse(Buffer.from(blob).toString("utf8"));
}
