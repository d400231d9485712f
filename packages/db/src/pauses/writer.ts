import { type AuditRecord, auditRecord, type Pausable, type Pause, pause } from "@proveniq/contracts";
import { operationTimeoutMs, withinDeadline } from "../failures.ts";
import { auditRef } from "../paths.ts";
import type { DatabasePool } from "../pool.ts";
import { pauseRef } from "./reader.ts";

/**
 * Pause something, or end its pause (`wanted` undefined), and record it, in one transaction. False, and nothing is recorded,
 * when it is so already; another reason replaces the one that is there.
 */
export async function setPause(
  pool: DatabasePool,
  databaseId: string,
  what: Pausable,
  wanted: Pause | undefined,
  audit: AuditRecord,
): Promise<boolean> {
  const next = wanted === undefined ? undefined : pause.parse(wanted);
  const record = auditRecord.parse(audit);
  return withinDeadline(operationTimeoutMs, async (expired) => {
    const db = await pool.open(databaseId);
    const mark = auditRef(db).doc();
    return db.runTransaction(async (tx) => {
      const ref = pauseRef(db, what);
      const [present, done] = await tx.getAll(ref, mark);
      // The first attempt may have been committed and its answer lost.
      if (done?.exists === true) return true;
      if (present?.get("reason") === next?.reason && present?.exists === (next !== undefined)) return false;
      if (expired()) throw new Error("the time for this change has passed");
      if (next === undefined) tx.delete(ref);
      else tx.set(ref, next);
      tx.create(mark, record);
      return true;
    });
  });
}
