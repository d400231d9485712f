import type { DocumentReference, DocumentSnapshot } from "@google-cloud/firestore";
import { chunkFields, readChunk } from "./documents.ts";
import type { ChunkRecord } from "./types.ts";

/** Every chunk of an import, by number, without its ids. */
export async function chunksOf(job: DocumentReference): Promise<ChunkRecord[]> {
  const chunks: ChunkRecord[] = [];
  const query = job.collection("chunks").select(...chunkFields);
  for await (const doc of query.stream()) {
    const chunk = readChunk(doc as unknown as DocumentSnapshot);
    if (chunk !== undefined) chunks.push(chunk);
  }
  return chunks.sort((a, b) => a.chunk - b.chunk);
}
