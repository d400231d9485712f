import type { DocumentData, DocumentSnapshot, Firestore, WriteBatch } from "@google-cloud/firestore";

/** NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED: somebody else was faster. */
const lost: ReadonlySet<unknown> = new Set([5, 6, 9, 10]);

/**
 * Replace a document, and do what `more` adds, in one commit that is only made if the document is still as `seen`.
 * False when it is not; then nothing was done by this call's last attempt, though an earlier one whose reply was lost
 * may be the reason: look again.
 *
 * A commit with a precondition rather than a transaction, because a transaction holds locks from its first read on, and
 * those of a process that was killed keep all others waiting until they expire.
 */
export async function commitIfUnchanged(
  db: Firestore,
  seen: DocumentSnapshot,
  next: DocumentData,
  more: (batch: WriteBatch) => void,
): Promise<boolean> {
  const batch = db.batch();
  if (seen.updateTime === undefined) batch.create(seen.ref, next);
  else batch.update(seen.ref, next, { lastUpdateTime: seen.updateTime });
  more(batch);
  try {
    await batch.commit();
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && lost.has(error.code)) return false;
    throw error;
  }
}
