import type { DocumentReference } from "@google-cloud/firestore";
import { planRef, progressRef, rawRef, rowsRef } from "./paths.ts";
import type { ImportRecord, StagedChunk } from "./types.ts";
import type { Place } from "./work.ts";

/** Documents that are deleted at once. */
const atOnce = 400;

/** Delete what an import that is done needed, as far as the time of the call allows; the rest goes by its TTL. */
export async function sweepUp(
  { job, firestore }: Place,
  { engine }: ImportRecord,
  chunks: readonly StagedChunk[],
  over: () => boolean,
): Promise<void> {
  const refs: DocumentReference[] = [progressRef(job)];
  for (const { chunk, digest, parts, raw } of chunks) {
    for (let part = 0; part < raw; part++) refs.push(rawRef(job, { chunk, digest, part }));
    for (const [bucket, count] of parts.entries()) {
      for (let part = 0; part < count; part++) refs.push(rowsRef(job, { bucket, chunk, digest, part }));
    }
  }
  for (let range = 0; range < engine.ranges; range++) refs.push(planRef(job, engine.check, range));
  for (let n = 0; n < refs.length && !over(); n += atOnce) {
    const batch = firestore.batch();
    for (const ref of refs.slice(n, n + atOnce)) batch.delete(ref);
    // Nobody needs them any more, so nothing is lost when this fails.
    await batch.commit().catch(() => undefined);
  }
}
