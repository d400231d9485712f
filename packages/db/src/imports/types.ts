import type {
  CompleteInput,
  ImportCounts,
  ImportInput,
  ImportPhase,
  ImportPlan,
  ImportState,
  RowReport,
  UndoReport,
} from "@proveniq/contracts";
import type { StoredResponse, WriteOptions, WriteResult } from "../tenant/types.ts";
import type { StagedOp } from "./rows.ts";

export type { StagedOp } from "./rows.ts";

/** An import as it is stored. */
export interface ImportRecord {
  id: string;
  input: ImportInput;
  /** Its number among the tenant's imports, from 1; items remember it. */
  seq: number;
  state: ImportState;
  createdAt: Date;
  updatedAt: Date;
  warnings: string[];
  engine: Engine;
  /** Of imports that the last release ended. */
  finish?: { deleted: number; duplicates: number };
}

/** How far an import is. */
export interface Engine {
  phase: ImportPhase;
  /** Into how many parts each chunk's rows go, by their ids. */
  buckets: number;
  /** The last check that was begun; 0: none was. */
  check: number;
  /** Into how many ranges of ids that check is divided. */
  ranges: number;
  /** What complete said last. */
  request?: CompleteInput | undefined;
  /** What the last check counted. */
  plan?: ImportPlan | undefined;
  /** Counts of the rows whose things the writing does not touch. */
  rest?: ImportCounts | undefined;
  /** What happened, once it is completed. */
  counts?: ImportCounts | undefined;
  /** Chunks, once it has ended. */
  chunks?: number | undefined;
  /** Rows may have been written. */
  wrote?: boolean | undefined;
  endedAt?: number | undefined;
  /** Why it was ended, where the state does not say so. */
  reason?: string | undefined;
  /** `after`: the last page that is undone. */
  undo?:
    | { state: "working" | "done"; restored: number; kept: number; after?: string | undefined }
    | undefined;
  /** How a check ended that another import's call brought to its end. */
  unseen?: { request: CompleteInput; problem?: Refusal | undefined } | undefined;
}

/** A refusal of complete, as it is kept for whoever asks next. */
export interface Refusal {
  code: "import-incomplete" | "too-many-deletes";
  detail?: string | undefined;
  errors?: { path: string; message: string }[] | undefined;
}

/** One chunk of an import that has arrived. */
export interface StagedChunk {
  chunk: number;
  /** SHA-256 of the unpacked bytes, hex. */
  digest: string;
  firstRow: number;
  rows: number;
  counts: ImportCounts;
  /** Refused rows of which not even the id could be read. */
  nameless: number;
  /** For each bucket, in how many documents its rows are, and how many bytes they have. */
  parts: number[];
  bytes: number[];
  /** In how many documents it is as it was sent; 0: it was not kept. */
  raw: number;
  updatedAt: Date;
}

/** What a chunk is, as its bytes say. */
export type ChunkIdentity = Pick<StagedChunk, "chunk" | "digest" | "firstRow" | "rows">;

/** A chunk as it was read. */
export interface ReadChunk {
  /** Its rows that ask for something, or at least name a thing, in their order. */
  rows: { at: number; externalId: string; row: StagedOp }[];
  counts: ImportCounts;
  nameless: number;
  /** The chunk as it was sent (or unpacked), where one of its rows may be refused later, beside what its thing has besides. */
  raw?: Buffer | undefined;
  /** Lines of the row report. */
  reports: readonly RowReport[];
}

/** Fields of an item that an import decides about; it leaves the others as they are. */
export type Governed = "all" | { fields: readonly string[]; attributes: readonly string[] };

/** The tenant's imports at one moment. */
export interface ImportsState {
  seq: number;
  /** Imports that have not ended, by id. */
  open: Record<string, { seq: number; source: string; finishing: boolean }>;
}

/** What was completed and not yet done, in the order of the calls. */
export interface Queue {
  entries: { id: string; kind: "import" | "undo" }[];
  /** Who works on the first, until when (milliseconds). Saves double work; nothing depends on it. */
  lease?: { token: string; until: number } | undefined;
}

/** Rows and chunks of an import so far. */
export interface ImportProgress {
  chunks: Pick<StagedChunk, "chunk" | "rows" | "updatedAt">[];
  counts: ImportCounts;
  /** Rows a second, while it is written. */
  rate?: number;
  waitingFor?: string;
  rampStartedAt: Date | undefined;
}

/** How large the pieces of work are. */
export interface ImportLimits {
  /** Things in one transaction. */
  pageRows: number;
  /** Transactions under way at once. */
  inFlight: number;
  /** So many things are got by name, without weighing whether a pass over the book is cheaper. */
  few: number;
  /** Buckets, whatever number of rows is expected; undefined: as many as fit. */
  buckets?: number | undefined;
}

/** What bounds one call. */
export interface Step {
  limits: ImportLimits;
  governed(input: ImportInput): Governed;
  /** From an unpacked chunk's bytes, and its number, to its rows as they came, by their places in it. */
  rowsOf(input: ImportInput, chunk: number, bytes: Buffer): (at: number) => Pick<RowReport, "cells" | "text">;
  /** Wait until so many documents may be written; false when the time of this call is over. */
  pace(writes: number): Promise<boolean>;
  /** Give back what was not written. */
  giveBack(writes: number): void;
  /** True when the time of this call is over. Each call does one step at least. */
  over(): boolean;
}

/** How an import stands after a call; not `ended`: call again. */
export interface Stand {
  record: ImportRecord;
  ended: boolean;
}

/** Where a list of imports goes on. */
export interface ImportPosition {
  createdAtMs: number;
  id: string;
}

/**
 * Imports of one tenant, for its partners and staff: a handle of a person's gets `forbidden`. An id that is none of
 * the tenant's imports is `not-found`.
 */
export interface ImportRepository {
  /** Begin an import. `respond`: from the new record to the answer, which a repeated request gets again. */
  create(
    input: ImportInput,
    options: Pick<WriteOptions, "idempotency"> & {
      respond: (record: ImportRecord) => StoredResponse;
      buckets?: number | undefined;
    },
  ): Promise<WriteResult>;
  get(id: string): Promise<ImportRecord>;
  /** Newest first. */
  list(limit: number, after?: ImportPosition): Promise<{ records: ImportRecord[]; next?: ImportPosition }>;
  /** Counts and chunks of an import so far. */
  progress(record: ImportRecord): Promise<ImportProgress>;
  /**
   * Look whether a chunk has arrived. Throws `import-closed` when it has not and may not any more, and `chunk-conflict` when
   * the number was used for other bytes.
   */
  findChunk(id: string, identity: ChunkIdentity): Promise<StagedChunk | undefined>;
  /** Keep a chunk. Throws like `findChunk`. */
  stage(record: ImportRecord, identity: ChunkIdentity, read: ReadChunk): Promise<StagedChunk>;
  /** Note that the tenant's items are being written to, for the ramp. Returns since when they are. */
  keepRamp(now: Date, restMs: number): Promise<Date>;
  /** End an import where it is. Ending it twice is the same. */
  cancel(id: string): Promise<ImportRecord>;
  /** How many rows were refused so far; stops the import, and throws `import-closed`, when it may not have as many. */
  requireFewErrors(record: ImportRecord): Promise<number>;
  /**
   * Take an import to its end, and those before it, as far as the time of the call allows. Throws `import-incomplete`,
   * `too-many-deletes`, `import-closed` (also when more rows were refused than may be).
   */
  complete(id: string, complete: CompleteInput, step: Step): Promise<Stand>;
  /** Put back what an import replaced, likewise. Throws `undo-impossible`. */
  undo(id: string, step: Step): Promise<Stand>;
  /** The row report, in the order of chunks. */
  reports(record: ImportRecord): AsyncIterable<RowReport>;
  /** What undoing it left as it was. */
  undoReports(id: string): AsyncIterable<UndoReport>;
}
