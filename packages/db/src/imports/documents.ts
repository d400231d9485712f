import type { DocumentData, DocumentSnapshot } from "@google-cloud/firestore";
import {
  type ImportInput,
  importCounts,
  importInput,
  importState,
  type RowReport,
  rowReport,
} from "@proveniq/contracts";
import { z } from "zod";
import { millisOf } from "../times.ts";
import type { ChunkRecord, ImportRecord, ImportsState } from "./types.ts";

/** How long an import and its report are kept: Firestore's TTL deletes them then. */
const keptDays = 90;
const dayMs = 86_400_000;

/** When documents of an import that began at `createdAt` may go. */
export function importExpiry(createdAt: Date): Date {
  return new Date(createdAt.getTime() + keptDays * dayMs);
}

const finish = z.strictObject({ deleted: z.int(), duplicates: z.int() });

/** What stands beside the input and not in it: the last release refuses fields there that it does not know. */
function splitInput({ undo, ...input }: ImportInput) {
  if (input.format.type !== "csv" || input.format.lineEnd === undefined) return { input, undo };
  const { lineEnd, ...format } = input.format;
  return { input: { ...input, format }, undo, lineEnd };
}

const storedInput = z.looseObject({ format: z.looseObject({}) });

function readInput(data: DocumentData): ImportInput {
  const { format, ...input } = storedInput.parse(JSON.parse(z.string().parse(data["input"])));
  const lineEnd: unknown = data["lineEnd"];
  return importInput.parse({
    ...input,
    format: lineEnd === undefined ? format : { ...format, lineEnd },
    undo: data["undo"] ?? false,
  });
}

/** The document of an import. The mapping goes in as text: its keys are the partner's and must not become fields. */
export function importDocument(record: ImportRecord): DocumentData {
  const { input: whole, seq, state, createdAt, updatedAt, warnings, finish: done } = record;
  const { input, ...beside } = splitInput(whole);
  return {
    input: JSON.stringify(input),
    ...beside,
    seq,
    state,
    createdAt,
    updatedAt,
    warnings,
    expiresAt: importExpiry(createdAt),
    ...(done === undefined ? {} : { finish: done }),
  };
}

export function readImport(snapshot: DocumentSnapshot): ImportRecord | undefined {
  const data = snapshot.data();
  if (data === undefined) return undefined;
  const done = finish.optional().parse(data["finish"]);
  return {
    id: snapshot.id,
    input: readInput(data),
    seq: z.int().parse(data["seq"]),
    state: importState.parse(data["state"]),
    createdAt: new Date(millisOf(data["createdAt"])),
    updatedAt: new Date(millisOf(data["updatedAt"])),
    warnings: z.array(z.string()).parse(data["warnings"]),
    ...(done === undefined ? {} : { finish: done }),
  };
}

/** The document of a chunk, without the writeId that its commit adds. `ids`: see `packIds`. */
export function chunkDocument(record: ChunkRecord, ids: Buffer, expiresAt: Date): DocumentData {
  return { ...record, ids, expiresAt };
}

/** Fields of a chunk's document that `readChunk` needs: all but the long ones. */
export const chunkFields = [
  "chunk",
  "digest",
  "firstRow",
  "rows",
  "done",
  "counts",
  "nameless",
  "again",
  "updatedAt",
] as const;

const chunkHead = z.object({
  chunk: z.int(),
  digest: z.string(),
  firstRow: z.int(),
  rows: z.int(),
  done: z.int(),
  counts: importCounts,
  nameless: z.int(),
  again: z.array(z.int()),
});

export function readChunk(snapshot: DocumentSnapshot): ChunkRecord | undefined {
  const data = snapshot.data();
  if (data === undefined) return undefined;
  return { ...chunkHead.parse(data), updatedAt: new Date(millisOf(data["updatedAt"])) };
}

/** The packed ids of a chunk; empty when there is none yet. */
export function readIds(snapshot: DocumentSnapshot): Buffer {
  const bytes: unknown = snapshot.get("ids");
  return bytes instanceof Uint8Array
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : Buffer.alloc(0);
}

const stateFields = z.object({
  seq: z.int(),
  tombstones: z.int(),
  open: z.record(z.string(), z.object({ seq: z.int(), source: z.string(), finishing: z.boolean() })),
  ramp: z.object({ startedAt: z.unknown(), lastAt: z.unknown() }).optional(),
});

export function readState(snapshot: DocumentSnapshot): ImportsState {
  if (!snapshot.exists) return { seq: 0, tombstones: 0, open: {}, ramp: undefined };
  const { ramp, ...rest } = stateFields.parse(snapshot.data());
  return {
    ...rest,
    ramp: ramp && { startedAt: new Date(millisOf(ramp.startedAt)), lastAt: new Date(millisOf(ramp.lastAt)) },
  };
}

export function stateDocument({ ramp, ...rest }: ImportsState): DocumentData {
  return { ...rest, ...(ramp === undefined ? {} : { ramp }) };
}

/** Bytes of report lines in one document, well below Firestore's 1 MiB. */
const reportBytes = 700 * 1024;

/** Report lines as the documents they fit into. */
export function reportDocuments(reports: readonly RowReport[], expiresAt: Date): DocumentData[] {
  const documents: DocumentData[] = [];
  let lines: string[] = [];
  let size = 0;
  const flush = () => {
    if (lines.length > 0) documents.push({ lines: Buffer.from(lines.join("\n")), expiresAt });
    lines = [];
    size = 0;
  };
  for (const report of reports) {
    const line = JSON.stringify(report);
    const bytes = Buffer.byteLength(line);
    if (size + bytes > reportBytes) flush();
    lines.push(line);
    size += bytes + 1;
  }
  flush();
  return documents;
}

export function readReports(snapshot: DocumentSnapshot): RowReport[] {
  const lines: unknown = snapshot.get("lines");
  if (!(lines instanceof Uint8Array)) return [];
  return Buffer.from(lines)
    .toString("utf8")
    .split("\n")
    .map((line) => rowReport.parse(JSON.parse(line)));
}
