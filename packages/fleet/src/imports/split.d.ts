import { type SourceFile } from "./source.ts";
/** A part of the file as it is sent. */
export interface FileChunk {
  chunk: number;
  firstRow: number;
  rows: number;
  bytes: Buffer;
}
/** Cut a file into chunks, always the same ones. */
export declare function chunksOf(source: SourceFile): AsyncGenerator<FileChunk>;
