import { importLimits } from "@proveniq/contracts";
import { recordsOf, requireUtf8, type SourceFile } from "./source.ts";

/** Bytes of a chunk before it is compressed: small enough to be sent again without regret. */
const chunkBytes = 3 * 1024 * 1024;
/**
 * Rows of a chunk, four pages of a cell's: small ones keep every place in a cell busy to the end of a file, and their cursor is light.
 * A file of more chunks than an import may have gets larger ones.
 */
const chunkRows = 2_000;
const mostChunks = 0.8 * importLimits.chunks;

/** A part of the file as it is sent. */
export interface FileChunk {
  chunk: number;
  firstRow: number;
  rows: number;
  bytes: Buffer;
}

/** Cut a file into chunks, always the same ones. */
export async function* chunksOf(source: SourceFile): AsyncGenerator<FileChunk> {
  let parts: Buffer[] = [];
  let size = 0;
  let chunk = 1;
  let firstRow = 1;
  const leastBytes = source.bytes / mostChunks;
  const isFull = (next: number) =>
    parts.length >= importLimits.chunkRows ||
    (parts.length >= chunkRows && size >= leastBytes) ||
    (parts.length > 0 && size + next > chunkBytes);
  const cut = (): FileChunk => {
    const made = { chunk, firstRow, rows: parts.length, bytes: Buffer.concat(parts) };
    requireUtf8(made.bytes, firstRow, source.path);
    chunk++;
    firstRow += parts.length;
    parts = [];
    size = 0;
    return made;
  };
  for await (const record of recordsOf(source)) {
    if (isFull(record.length)) yield cut();
    parts.push(record);
    size += record.length + 1;
  }
  if (parts.length > 0) yield cut();
}
