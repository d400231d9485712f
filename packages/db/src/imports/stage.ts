import type { DocumentData, DocumentReference } from "@google-cloud/firestore";
import { ProblemError } from "@proveniq/contracts";
import { closed } from "./close.ts";
import {
  importDocument,
  importExpiry,
  linesDocuments,
  readImport,
  readStaged,
  rowsExpiry,
  stagedDocument,
} from "./documents.ts";
import { guarded } from "./guarded.ts";
import { rawRef, reportRef, rowsRef, stagedRef } from "./paths.ts";
import { noImport } from "./queue.ts";
import { RowPacker, rowsDocument } from "./rows.ts";
import { rawPieces } from "./sources.ts";
import type { ChunkIdentity, ImportRecord, ReadChunk, StagedChunk } from "./types.ts";
import type { Place } from "./work.ts";

/** Bytes in one commit, below the database's 10 MiB. */
const commitBytes = 6 * 1024 * 1024;
/** How old the import's own date may become while chunks come in, in milliseconds: each would wait for the others to write it. */
const datedMs = 60 * 60_000;

/** See `ImportRepository.findChunk`. */
export async function findChunk(
  { firestore, job }: Place,
  identity: ChunkIdentity,
): Promise<StagedChunk | undefined> {
  const [jobDoc, chunkDoc] = await firestore.getAll(job, stagedRef(job, identity.chunk));
  const record = jobDoc && readImport(jobDoc);
  if (record === undefined || chunkDoc === undefined) throw noImport();
  return known(record, readStaged(chunkDoc), identity);
}

/** The chunk, if it has arrived. Throws when it has not and may not any more, and when it was another. */
function known(
  record: ImportRecord,
  chunk: StagedChunk | undefined,
  { digest, firstRow, chunk: n }: ChunkIdentity,
): StagedChunk | undefined {
  if (chunk === undefined) {
    if (record.engine.phase !== "receiving") throw closed(record);
    return undefined;
  }
  if (chunk.digest === digest && chunk.firstRow === firstRow) return chunk;
  throw new ProblemError(
    "chunk-conflict",
    `Chunk ${n} was sent before with other bytes or another firstRow. Cancel the import if the file changed.`,
  );
}

/** Keep a chunk: its rows and report lines, and then, in one transaction, that it is there. */
export async function stageChunk(
  { firestore, binding, job }: Place,
  record: ImportRecord,
  identity: ChunkIdentity,
  read: ReadChunk,
): Promise<StagedChunk> {
  const packer = new RowPacker(record.engine.buckets);
  for (const { at, externalId, row } of read.rows) packer.add(at, externalId, row);
  const [parts, raw] = await Promise.all([packer.end(), read.raw === undefined ? [] : rawPieces(read.raw)]);
  const at = new Date();
  const chunk: StagedChunk = {
    ...identity,
    counts: read.counts,
    nameless: read.nameless,
    parts: parts.map((list) => list.length),
    bytes: packer.bytes,
    raw: raw.length,
    updatedAt: at,
  };
  const expiresAt = importExpiry(record.createdAt);
  const documents: { ref: DocumentReference; data: DocumentData; bytes: number }[] = [];
  for (const [bucket, list] of parts.entries()) {
    for (const [part, lines] of list.entries()) {
      const ref = rowsRef(job, { bucket, part, ...identity });
      documents.push({ ref, data: rowsDocument(lines, rowsExpiry(record.createdAt)), bytes: lines.length });
    }
  }
  for (const [part, lines] of raw.entries()) {
    const data = rowsDocument(lines, rowsExpiry(record.createdAt));
    documents.push({ ref: rawRef(job, { part, ...identity }), data, bytes: lines.length });
  }
  for (const [part, data] of linesDocuments(read.reports, expiresAt).entries())
    documents.push({ ref: reportRef(job, identity.chunk, part), data, bytes: 750 * 1024 });

  // All but the last commit's worth may be there without the chunk: nobody looks for them then.
  const last = await lastCommit(documents, (some) =>
    guarded(firestore, binding, [], (_, tx) => {
      for (const { ref, data } of some) tx.set(ref, data);
    }),
  );
  const ref = stagedRef(job, identity.chunk);
  return guarded(firestore, binding, [job, ref], ([jobDoc, chunkDoc], tx) => {
    const now = readImport(jobDoc);
    if (now === undefined) throw noImport();
    const there = known(now, readStaged(chunkDoc), identity);
    if (there !== undefined) return there;
    for (const { ref, data } of last) tx.set(ref, data);
    tx.set(ref, stagedDocument(chunk, expiresAt));
    if (at.getTime() - now.updatedAt.getTime() > datedMs)
      tx.set(job, importDocument({ ...now, updatedAt: at }));
    return chunk;
  });
}

/** Commit all documents but those that fit into one more commit; answers these. */
async function lastCommit<D extends { bytes: number }>(
  documents: readonly D[],
  commit: (some: readonly D[]) => Promise<unknown>,
): Promise<D[]> {
  let some: D[] = [];
  let bytes = 0;
  for (const document of documents) {
    if (bytes + document.bytes > commitBytes) {
      await commit(some);
      some = [];
      bytes = 0;
    }
    some.push(document);
    bytes += document.bytes;
  }
  return some;
}
