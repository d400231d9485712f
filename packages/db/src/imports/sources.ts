import { promisify } from "node:util";
import { deflate, unzip } from "node:zlib";
import { importLimits, type RowReport } from "@proveniq/contracts";
import { readStaged } from "./documents.ts";
import { rawRef, stagedRef } from "./paths.ts";
import type { ImportRecord } from "./types.ts";
import type { Work } from "./work.ts";

const pack = promisify(deflate);
const unpack = promisify(unzip);

/** Bytes of a chunk as it was sent in one document, below Firestore's 1 MiB. */
const rawBytes = 900 * 1024;

/** A chunk as it was sent, in pieces of which each fits into a document. `bytes`: gzip, or what it unpacks to. */
export async function rawPieces(bytes: Buffer): Promise<Buffer[]> {
  // A chunk is UTF-8, which never begins like that.
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b ? bytes : await pack(bytes, { level: 1 });
  const pieces: Buffer[] = [];
  for (let n = 0; n < packed.length; n += rawBytes) pieces.push(packed.subarray(n, n + rawBytes));
  return pieces;
}

/**
 * Lines of the report with the rows as they came. Few imports refuse a row so late, so chunks are kept for that as they were sent,
 * and read once more.
 */
export async function withSources(
  { job, step }: Work,
  { input }: ImportRecord,
  reports: readonly RowReport[],
): Promise<RowReport[]> {
  const made = [...reports];
  for (const n of new Set(reports.flatMap(({ refused, chunk }) => (refused ? [chunk] : [])))) {
    const chunk = readStaged(await stagedRef(job, n).get());
    if (chunk === undefined || chunk.raw === 0) continue;
    const refs = Array.from({ length: chunk.raw }, (_, part) => rawRef(job, { ...chunk, part }));
    const pieces = (await job.firestore.getAll(...refs)).map((document): unknown => document.get("lines"));
    const packed = Buffer.concat(pieces.filter((piece) => piece instanceof Uint8Array));
    const rows = step.rowsOf(input, n, await unpack(packed, { maxOutputLength: importLimits.chunkBytes }));
    for (const [place, report] of made.entries()) {
      if (report.refused && report.chunk === n)
        made[place] = { ...report, ...rows(report.row - chunk.firstRow) };
    }
  }
  return made;
}
