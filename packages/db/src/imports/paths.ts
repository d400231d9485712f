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

/** What is known of a chunk that has arrived. Not `chunks`: there the last release would take it for one of its own. */
export function stagedRef(job: DocumentReference, chunk: number): DocumentReference {
  if (!Number.isInteger(chunk) || chunk < 1 || chunk > importLimits.chunks)
    throw new Error("not a chunk number");
  return job.collection("staged").doc(String(chunk));
}

/** Rows of a chunk that were kept. `digest`: the chunk's, so that two contents of one number never mix. */
export function rowsRef(
  job: DocumentReference,
  { bucket, chunk, digest, part }: { bucket: number; chunk: number; digest: string; part: number },
): DocumentReference {
  return job.collection("rows").doc(`${bucket}-${chunk}-${digest.slice(0, 8)}-${part}`);
}

/** A piece of a chunk as it was sent. */
export function rawRef(
  job: DocumentReference,
  { chunk, digest, part }: { chunk: number; digest: string; part: number },
): DocumentReference {
  return job.collection("rows").doc(`raw-${chunk}-${digest.slice(0, 8)}-${part}`);
}

/** What a check decided about a range of ids. `check`: the number of the check; each begins anew. */
export function planRef(job: DocumentReference, check: number, range: number): DocumentReference {
  return job.collection("plan").doc(`${check}-${range}`);
}

/** The receipt of a page that was written. Names sort by check. */
export function pageRef(
  job: DocumentReference,
  check: number,
  range: number,
  page: number,
): DocumentReference {
  const name = [check, range, page].map((n) => String(n).padStart(5, "0")).join("-");
  return job.collection("pages").doc(name);
}

/** What a page replaced and its receipt had no room for. */
export function replacedRef(page: DocumentReference, part: number): DocumentReference {
  const job = page.parent.parent;
  if (job === null) throw new Error("a page belongs to an import");
  return job.collection("replaced").doc(`${page.id}-${part}`);
}

/** How far the writing is. */
export function progressRef(job: DocumentReference): DocumentReference {
  return job.collection("progress").doc("written");
}

/** Part of the row report that came with a chunk. Names sort as the rows do. */
export function reportRef(job: DocumentReference, chunk: number, part: number): DocumentReference {
  const name = [chunk, 0, part].map((n) => String(n).padStart(5, "0")).join("-");
  return job.collection("reports").doc(name);
}

/** Part of the row report that a check made. */
export function checkReportRef(
  job: DocumentReference,
  check: number,
  range: number,
  part: string,
): DocumentReference {
  return job.collection("reports").doc(`check-${check}-${String(range).padStart(5, "0")}-${part}`);
}

/** The check that a document of the report is of; undefined: it came with a chunk. */
export function checkOfReport(name: string): number | undefined {
  const [, check] = /^check-(\d+)-/.exec(name) ?? [];
  return check === undefined ? undefined : Number(check);
}

/** Things that undoing a page left as they were. */
export function undoReportRef(page: DocumentReference): DocumentReference {
  const job = page.parent.parent;
  if (job === null) throw new Error("a page belongs to an import");
  return job.collection("undoReports").doc(page.id);
}

/** What all imports of a tenant share: their numbers, and which are open. */
export function importsStateRef(firestore: Firestore, tenantId: string): DocumentReference {
  return tenantRef(firestore, tenantId).collection("importState").doc("current");
}

/** Which imports were completed and wait for their turn, and who works on the first. */
export function queueRef(firestore: Firestore, tenantId: string): DocumentReference {
  return tenantRef(firestore, tenantId).collection("importState").doc("queue");
}

/** Since when the tenant's items are being written to. */
export function rampRef(firestore: Firestore, tenantId: string): DocumentReference {
  return tenantRef(firestore, tenantId).collection("importState").doc("ramp");
}
