import type { DocumentData, DocumentSnapshot } from "@google-cloud/firestore";
import {
  completeInput,
  type ImportInput,
  importCounts,
  importInput,
  importPhase,
  importPlan,
  importState,
  type RowReport,
  rowReport,
} from "@proveniq/contracts";
import { z } from "zod";
import { millisOf } from "../times.ts";
import type { Engine, ImportRecord, ImportsState, Queue, StagedChunk } from "./types.ts";

const dayMs = 86_400_000;
/** How long an import and its report are kept: Firestore's TTL deletes them then. */
const keptDays = 90;
/** How long what was replaced can be put back. */
export const undoDays = 14;
/** How long an import may receive nothing before it is taken for given up. */
export const idleDays = 7;
/** An import receives for no longer than this: its rows are kept for as long. */
export const openDays = 30;

export const days = (n: number): number => n * dayMs;

/** When documents of an import that began at `createdAt` may go. */
export function importExpiry(createdAt: Date): Date {
  return new Date(createdAt.getTime() + days(keptDays));
}

/** When kept rows and plans may go, should the end of their import not have deleted them. */
export function rowsExpiry(createdAt: Date): Date {
  return new Date(createdAt.getTime() + days(openDays + undoDays));
}

/** When the receipt of a page that is written now may go. */
export function pageExpiry(now: Date): Date {
  return new Date(now.getTime() + days(undoDays + 2));
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

const refusal = z.strictObject({
  code: z.enum(["import-incomplete", "too-many-deletes"]),
  detail: z.string().optional(),
  errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
});

const engine = z.strictObject({
  phase: importPhase,
  buckets: z.int().min(1),
  check: z.int().min(0),
  ranges: z.int().min(0),
  request: completeInput.optional(),
  plan: importPlan.optional(),
  rest: importCounts.optional(),
  counts: importCounts.optional(),
  chunks: z.int().optional(),
  wrote: z.boolean().optional(),
  endedAt: z.number().optional(),
  reason: z.string().optional(),
  undo: z
    .strictObject({
      state: z.enum(["working", "done"]),
      restored: z.int(),
      kept: z.int(),
      after: z.string().optional(),
    })
    .optional(),
  unseen: z.strictObject({ request: completeInput, problem: refusal.optional() }).optional(),
});

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
    engine: JSON.stringify(record.engine),
    expiresAt: importExpiry(createdAt),
    ...(done === undefined ? {} : { finish: done }),
  };
}

export function readImport(snapshot: DocumentSnapshot): ImportRecord | undefined {
  const data = snapshot.data();
  if (data === undefined) return undefined;
  const done = finish.optional().parse(data["finish"]);
  const state = importState.parse(data["state"]);
  const own: unknown = data["engine"];
  return {
    id: snapshot.id,
    input: readInput(data),
    seq: z.int().parse(data["seq"]),
    createdAt: new Date(millisOf(data["createdAt"])),
    updatedAt: new Date(millisOf(data["updatedAt"])),
    warnings: z.array(z.string()).parse(data["warnings"]),
    ...(typeof own === "string" ? { state, engine: engine.parse(JSON.parse(own)) } : adopted(state, done)),
  };
}

const stand = z.object({ phase: importPhase, check: z.int() });

/** How far an import is, and by which check: all that each of its pages must see. */
export function readStand(snapshot: DocumentSnapshot): z.infer<typeof stand> | undefined {
  const own: unknown = snapshot.get("engine");
  return typeof own === "string" ? stand.parse(JSON.parse(own)) : undefined;
}

/** An import that the last release began: of what it received nothing is kept, so it receives anew. */
function adopted(
  state: ImportRecord["state"],
  done: ImportRecord["finish"],
): Pick<ImportRecord, "state" | "engine" | "finish"> {
  const ended = state !== "open" && state !== "finishing";
  const fresh: Engine = { phase: ended ? "ended" : "receiving", buckets: 8, check: 0, ranges: 0 };
  return {
    state: ended ? state : "open",
    engine: fresh,
    ...(ended && done !== undefined ? { finish: done } : {}),
  };
}

/** True for imports that the last release ended: its chunks have their counts. */
export function endedBefore({ engine: { phase, endedAt } }: ImportRecord): boolean {
  return phase === "ended" && endedAt === undefined;
}

/** The document of a chunk that has arrived. */
export function stagedDocument(record: StagedChunk, expiresAt: Date): DocumentData {
  return { ...record, expiresAt };
}

const stagedChunk = z.object({
  chunk: z.int(),
  digest: z.string(),
  firstRow: z.int(),
  rows: z.int(),
  counts: importCounts,
  nameless: z.int(),
  parts: z.array(z.int()),
  bytes: z.array(z.int()),
  raw: z.int(),
});

export function readStaged(snapshot: DocumentSnapshot): StagedChunk | undefined {
  const data = snapshot.data();
  if (data === undefined) return undefined;
  return { ...stagedChunk.parse(data), updatedAt: new Date(millisOf(data["updatedAt"])) };
}

const oldChunk = z.object({ chunk: z.int(), rows: z.int(), counts: importCounts });

/** A chunk as the last release kept it, of an import that it ended. */
export function readOldChunk(snapshot: DocumentSnapshot) {
  return { ...oldChunk.parse(snapshot.data()), updatedAt: new Date(millisOf(snapshot.get("updatedAt"))) };
}

const stateFields = z.object({
  seq: z.int(),
  open: z.record(z.string(), z.object({ seq: z.int(), source: z.string(), finishing: z.boolean() })),
});

export function readState(snapshot: DocumentSnapshot): ImportsState {
  return snapshot.exists ? stateFields.parse(snapshot.data()) : { seq: 0, open: {} };
}

/** `tombstones`: the last release does not read its state without them. */
export function stateDocument(state: ImportsState): DocumentData {
  return { ...state, tombstones: 0 };
}

const queue = z.strictObject({
  entries: z.array(z.strictObject({ id: z.string(), kind: z.enum(["import", "undo"]) })),
  lease: z.strictObject({ token: z.string(), until: z.number() }).optional(),
});

export function readQueue(snapshot: DocumentSnapshot): Queue {
  const data = snapshot.data();
  return data === undefined ? { entries: [] } : queue.parse(JSON.parse(z.string().parse(data["queue"])));
}

export function queueDocument(entries: Queue): DocumentData {
  return { queue: JSON.stringify(entries) };
}

/** Since when, and until when, items were written without a long rest. */
export function readRamp(snapshot: DocumentSnapshot): { startedAt: Date; lastAt: Date } | undefined {
  const data = snapshot.data();
  if (data === undefined) return undefined;
  return { startedAt: new Date(millisOf(data["startedAt"])), lastAt: new Date(millisOf(data["lastAt"])) };
}

/** Bytes of report lines in one document, well below Firestore's 1 MiB. */
const reportBytes = 700 * 1024;

/** Lines of a report as the documents they fit into. */
export function linesDocuments(reports: readonly object[], expiresAt: Date): DocumentData[] {
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

/** The lines of such a document. */
export function linesOf(snapshot: DocumentSnapshot): unknown[] {
  const lines: unknown = snapshot.get("lines");
  if (!(lines instanceof Uint8Array)) return [];
  return Buffer.from(lines)
    .toString("utf8")
    .split("\n")
    .map((line): unknown => JSON.parse(line));
}

export function readReports(snapshot: DocumentSnapshot): RowReport[] {
  return linesOf(snapshot).map((line) => rowReport.parse(line));
}
