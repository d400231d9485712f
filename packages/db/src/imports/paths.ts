import type { CollectionReference, DocumentReference, Firestore } from "@google-cloud/firestore";
import { importId, importLimits } from "@proveniq/contracts";
import { tenantRef } from "../paths.ts";

export function importsRef(firestore: Firestore, tenantId: string): CollectionReference {
  return tenantRef(firestore, tenantId).collection("imports");
}

/** The document of an import; undefined when the id cannot be one. */
export function importRef(firestore: Firestore, tenantId: string, id: string): DocumentReference | undefined {
  return importId.safeParse(id).success ? importsRef(firestore, tenantId).doc(id) : undefined;
}

export function chunkRef(job: DocumentReference, chunk: number): DocumentReference {
  if (!Number.isInteger(chunk) || chunk < 1 || chunk > importLimits.chunks)
    throw new Error("not a chunk number");
  return job.collection("chunks").doc(String(chunk));
}

/** Part of the row report. Names sort as the rows do. */
export function reportRef(
  job: DocumentReference,
  chunk: number,
  from: number,
  part: number,
): DocumentReference {
  const name = [chunk, from, part].map((n) => String(n).padStart(5, "0")).join("-");
  return job.collection("reports").doc(name);
}

/** How far the sweep of a full import is. */
export function sweepRef(job: DocumentReference): DocumentReference {
  return job.collection("sweep").doc("cursor");
}

/** How far a full import has counted what it would delete. */
export function countRef(job: DocumentReference): DocumentReference {
  return job.collection("sweep").doc("count");
}

/** What all imports of a tenant share: their order, which are open, the ramp. */
export function importsStateRef(firestore: Firestore, tenantId: string): DocumentReference {
  return tenantRef(firestore, tenantId).collection("importState").doc("current");
}

/** Remembers that an import deleted an item, while an older import might still bring it back. */
export function tombstoneRef(firestore: Firestore, tenantId: string, itemId: string): DocumentReference {
  return tenantRef(firestore, tenantId).collection("importTombstones").doc(itemId);
}
