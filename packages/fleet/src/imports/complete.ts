import { setTimeout as sleep } from "node:timers/promises";
import type { CompleteInput } from "@proveniq/contracts";
import { type ImportApi, waitSeconds } from "./http.ts";
import { type SeenJob, seenJob } from "./job.ts";
import type { Progress } from "./progress.ts";

/** What was sent in all, and what is wanted with it. */
export type CompleteCall = Omit<CompleteInput, "preview"> & { preview?: boolean };

/**
 * Complete an import, however many calls that takes; with `preview` it is checked and stays open. Throws `Refusal`:
 * `import-incomplete`, `too-many-deletes`, `import-closed`.
 */
export async function completeImport(
  api: ImportApi,
  id: string,
  what: CompleteCall,
  progress: Progress,
): Promise<SeenJob> {
  return untilDone(api, `/imports/${id}/complete`, JSON.stringify(what), progress);
}

/** Put back what an import replaced. Resolves once that is done. */
export async function undoImport(api: ImportApi, id: string, progress: Progress): Promise<SeenJob> {
  return untilDone(api, `/imports/${id}/undo`, undefined, progress);
}

async function untilDone(
  api: ImportApi,
  path: string,
  body: string | undefined,
  progress: Progress,
): Promise<SeenJob> {
  for (;;) {
    const sent = body === undefined ? {} : { headers: { "content-type": "application/json" }, body };
    const answer = await api.call({ method: "POST", path, ...sent });
    const job = seenJob.parse(JSON.parse(answer.text));
    if (answer.status !== 202) return job;
    progress.ending(job);
    await sleep(waitSeconds(answer, 0) * 1000);
  }
}
