import type { DocumentReference, DocumentSnapshot } from "@google-cloud/firestore";
import { type CompleteInput, ProblemError } from "@proveniq/contracts";
import { readOldChunk, readStaged } from "./documents.ts";
import type { Refusal, StagedChunk } from "./types.ts";

/** Every chunk of an import that has arrived, by number. */
export async function chunksOf(job: DocumentReference): Promise<StagedChunk[]> {
  const chunks: StagedChunk[] = [];
  for await (const doc of job.collection("staged").stream()) {
    const chunk = readStaged(doc as unknown as DocumentSnapshot);
    if (chunk !== undefined) chunks.push(chunk);
  }
  return chunks.sort((a, b) => a.chunk - b.chunk);
}

/** The chunks of an import that the last release ended, with their counts. */
export async function oldChunksOf(job: DocumentReference): Promise<ReturnType<typeof readOldChunk>[]> {
  const { docs } = await job.collection("chunks").select("chunk", "rows", "counts", "updatedAt").get();
  return docs.map(readOldChunk);
}

/** What is missing; undefined when all chunks are there, from 1 without a gap, their rows one after the other, as many as were sent. */
export function missingOf(
  chunks: readonly StagedChunk[],
  { chunks: sent, rows }: CompleteInput,
): Refusal | undefined {
  const errors: { path: string; message: string }[] = [];
  const fault = (chunk: number, message: string) => errors.push({ path: `/chunks/${chunk}`, message });
  const known = new Map(chunks.map((c) => [c.chunk, c]));
  let next = 1;
  for (let n = 1; n <= sent && errors.length < 100; n++) {
    const chunk = known.get(n);
    if (chunk === undefined) {
      fault(n, "is missing");
      next = 0;
    } else {
      if (next > 0 && chunk.firstRow !== next)
        fault(n, `begins with row ${chunk.firstRow}, expected ${next}`);
      next = chunk.firstRow + chunk.rows;
    }
  }
  for (const { chunk } of chunks)
    if (chunk > sent && errors.length < 100) fault(chunk, "is more than were announced");
  const arrived = chunks.reduce((sum, c) => sum + c.rows, 0);
  if (errors.length === 0 && arrived === rows) return undefined;
  const detail = arrived === rows ? undefined : `${arrived} of ${rows} rows have arrived.`;
  return { code: "import-incomplete", detail, errors };
}

/** The refusal as clients get it. */
export function problemOf({ code, detail, errors }: Refusal): ProblemError {
  return new ProblemError(code, detail, errors === undefined ? {} : { errors });
}
