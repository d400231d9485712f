import { ProblemError } from "@proveniq/contracts";
import { importDocument, readImport, readState, stateDocument } from "./documents.ts";
import type { FinishContext } from "./finish.ts";
import { guarded } from "./guarded.ts";
import { importsStateRef } from "./paths.ts";
import type { ChunkRecord, ImportRecord } from "./types.ts";

/** Why an import takes no more. */
export function closed({ input, state }: Pick<ImportRecord, "input" | "state">): ProblemError {
  const why =
    state === "stopped"
      ? `stopped: it has more errors than its maxErrors, ${input.maxErrors}. See its report`
      : state;
  return new ProblemError("import-closed", `The import is ${why}.`);
}

/** End an import where it is. Ending it twice is the same. */
export async function closeImport(
  { firestore, binding, job, id }: FinishContext,
  as: "cancelled" | "stopped",
): Promise<ImportRecord> {
  const stateRef = importsStateRef(firestore, binding.tenantId);
  return guarded(firestore, binding, [job, stateRef], ([jobDoc, stateDoc], tx) => {
    const record = readImport(jobDoc);
    if (record === undefined) throw new ProblemError("not-found", "There is no such import.");
    if (record.state === as) return record;
    if (record.state !== "open" && record.state !== "finishing") {
      throw closed(record);
    }
    const ended: ImportRecord = { ...record, state: as, updatedAt: new Date() };
    const state = readState(stateDoc);
    const { [id]: _, ...open } = state.open;
    tx.set(job, importDocument(ended));
    tx.set(stateRef, stateDocument({ ...state, open }));
    return ended;
  });
}

/** How many rows of these chunks were refused. Stops the import, and throws `import-closed`, when it may not have as many. */
export async function requireFewErrors(
  context: FinishContext,
  { input }: Pick<ImportRecord, "input">,
  chunks: readonly ChunkRecord[],
): Promise<number> {
  const failed = chunks.reduce((sum, { counts }) => sum + counts.failed, 0);
  if (failed <= input.maxErrors) return failed;
  await closeImport(context, "stopped");
  throw closed({ input, state: "stopped" });
}
