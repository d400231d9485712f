import type {
  CompleteInput,
  ImportCounts,
  ImportInput,
  ImportState,
  ItemInput,
  RowReport,
} from "@proveniq/contracts";
import type { StoredResponse, WriteOptions, WriteResult } from "../tenant/types.ts";

/** An import as it is stored. */
export interface ImportRecord {
  id: string;
  input: ImportInput;
  /** Place among the tenant's imports, from 1: the first part of a row's rank. */
  seq: number;
  state: ImportState;
  createdAt: Date;
  updatedAt: Date;
  warnings: string[];
  /** What its end did, once it ended. */
  finish?: { deleted: number; duplicates: number };
}

/** One chunk of an import: what it is, and how far it is decided. */
export interface ChunkRecord {
  chunk: number;
  /** SHA-256 of the unpacked bytes, hex. */
  digest: string;
  firstRow: number;
  rows: number;
  /** Rows that are decided for good: where work goes on. */
  done: number;
  counts: ImportCounts;
  /** Refused rows of which not even the id could be read. */
  nameless: number;
  /** Places of rows that must be decided once more, because an earlier row wrote after them. */
  again: readonly number[];
  updatedAt: Date;
}

/**
 * What a good row asks for. An upsert's `input` has no owner when the row names none. `source` is the row as it
 * came, should the report need it.
 */
export type PageRow = {
  at: number;
  externalId: string;
  source: Pick<RowReport, "row" | "cells" | "text">;
} & ({ op: "upsert"; input: ItemInput } | { op: "delete" });

/** Rows of a chunk that are decided together, from `from` (its cursor before) up to `to` (its cursor after). */
export interface Page {
  from: number;
  to: number;
  rows: readonly PageRow[];
  /** Refused rows that name a thing all the same. */
  named: readonly { at: number; externalId: string }[];
  /** How many refused rows name nothing. */
  nameless: number;
  /** The counts of rows that ask for nothing: refused, blank, superseded within the page. */
  counts: Partial<ImportCounts>;
  /** Lines of the row report. */
  reports: readonly RowReport[];
}

/** What a chunk is, as its bytes say. */
export interface ChunkIdentity {
  chunk: number;
  digest: string;
  firstRow: number;
  rows: number;
}

/** Fields of an item that an import decides about; it leaves the others as they are. */
export type Governed = "all" | { fields: readonly string[]; attributes: readonly string[] };

/** The tenant's imports at one moment. */
export interface ImportsState {
  seq: number;
  /** Imports that may still write, by id. */
  open: Record<string, { seq: number; source: string; finishing: boolean }>;
  /** The newest import that left a tombstone; 0: none did. */
  tombstones: number;
  /** Of the items collection: since when it has been written to without a long rest. */
  ramp: { startedAt: Date; lastAt: Date } | undefined;
}

/** Rows and chunks of an import so far. */
export interface ImportProgress {
  chunks: ChunkRecord[];
  counts: ImportCounts;
  ramp: ImportsState["ramp"];
}

/** A chunk that may be worked on. */
export interface OpenChunk {
  record: ImportRecord;
  /** How far it is; undefined when it is new. */
  chunk: ChunkRecord | undefined;
}

export interface PageResult {
  chunk: ChunkRecord;
  /** Somebody else had already decided rows beyond `page.from`: go on from `chunk.done`. */
  overtaken: boolean;
  /** Some of the rows named items that exist: look before creating the next page's. */
  known: boolean;
  /** Documents of items that were written. */
  writes: number;
}

/** What bounds one call of `finish`. */
export interface FinishStep {
  /** Wait until so many documents may be written; false when the time of this call is over. */
  pace(writes: number): Promise<boolean>;
  /** True when the time of this call is over. */
  over(): boolean;
}

/** How an import stands after a call of `finish`; not `ended`: call again. */
export interface Finishing {
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
    options: Pick<WriteOptions, "idempotency"> & { respond: (record: ImportRecord) => StoredResponse },
  ): Promise<WriteResult>;
  get(id: string): Promise<ImportRecord>;
  /** Newest first. */
  list(limit: number, after?: ImportPosition): Promise<{ records: ImportRecord[]; next?: ImportPosition }>;
  /** Counts and chunks of an import so far. */
  progress(id: string): Promise<ImportProgress>;
  /**
   * Look whether a chunk may be worked on, and how far it is. Throws `import-closed` unless it is done, and
   * `chunk-conflict` when the number was used for other bytes.
   */
  openChunk(id: string, identity: ChunkIdentity): Promise<OpenChunk>;
  /**
   * Decide one page of a chunk: items, events, report lines and the chunk's cursor in one transaction. With
   * `expect: "new"` the items are created without looking; if one exists after all, the page is done again with
   * looking.
   */
  commitPage(
    record: ImportRecord,
    governed: Governed,
    identity: ChunkIdentity,
    page: Page,
    expect: "new" | "known",
  ): Promise<PageResult>;
  /** Note that the tenant's items are being written to, for the ramp. Returns since when they are. */
  keepRamp(now: Date, restMs: number): Promise<Date>;
  /** End an import where it is. Ending it twice is the same. */
  close(id: string, as: "cancelled"): Promise<ImportRecord>;
  /** How many rows were refused so far; stops the import, and throws `import-closed`, when it may not have as many. */
  requireFewErrors(record: ImportRecord): Promise<number>;
  /**
   * Take the end of an import as far as the time of the call allows. Throws `import-incomplete`,
   * `too-many-deletes`, `import-closed` (also when more rows were refused than may be).
   */
  finish(id: string, complete: CompleteInput, step: FinishStep): Promise<Finishing>;
  /** The row report, in the order of chunks. */
  reports(id: string): AsyncIterable<RowReport>;
}
