import type { DocumentReference, DocumentSnapshot, Firestore } from "@google-cloud/firestore";
import { addCounts, noCounts, ProblemError, type RowReport } from "@proveniq/contracts";
import { fromDocument, toDocument } from "../items/document.ts";
import { autoId, itemIdFor } from "../items/ids.ts";
import { itemsRef } from "../paths.ts";
import { type Change, commitTenantWrite } from "../tenant/commit.ts";
import type { TenantBinding } from "../tenant/types.ts";
import { type Decisions, decide, type NamedRow, type Standing } from "./decide.ts";
import {
  chunkDocument,
  importExpiry,
  readChunk,
  readIds,
  readState,
  reportDocuments,
  stateDocument,
} from "./documents.ts";
import { packIds } from "./ids.ts";
import { chunkRef, importsStateRef, reportRef, tombstoneRef } from "./paths.ts";
import type { Rank } from "./rank.ts";
import type {
  ChunkIdentity,
  ChunkRecord,
  Governed,
  ImportRecord,
  ImportsState,
  Page,
  PageResult,
} from "./types.ts";

/** Everything that stays the same from page to page of one chunk. */
export interface PageContext {
  firestore: Firestore;
  binding: TenantBinding;
  job: DocumentReference;
  record: ImportRecord;
  governed: Governed;
  identity: ChunkIdentity;
}

/** The import may write no more. */
export class ImportClosed extends Error {}

/** The tenant's state is not what the reads were chosen by: choose again. */
class StateMoved extends Error {}

/**
 * Decide one page: items, events, report lines and the chunk's cursor in one transaction. With `expect: "new"`
 * the items are created without looking; if one exists after all, the page is done again with looking.
 */
export async function commitPage(
  context: PageContext,
  page: Page,
  expect: "new" | "known",
): Promise<PageResult> {
  const rows: NamedRow[] = page.rows.map((row) => ({ ...row, id: itemIdFor(row.externalId, undefined) }));
  const dry = context.record.input.dryRun;
  const blind = !dry && expect === "new" && rows.every((row) => row.op === "upsert");
  if (blind || dry) {
    try {
      return await attempt(context, page, rows, { items: false, tombstones: false });
    } catch (error) {
      if (!(error instanceof StateMoved) && !alreadyExists(error)) throw error;
    }
  }
  try {
    return await attempt(context, page, rows, { items: true, tombstones: false });
  } catch (error) {
    if (!(error instanceof StateMoved)) throw error;
    return attempt(context, page, rows, { items: true, tombstones: true });
  }
}

async function attempt(
  context: PageContext,
  page: Page,
  rows: readonly NamedRow[],
  look: { items: boolean; tombstones: boolean },
): Promise<PageResult> {
  const { firestore, binding, job, record, identity } = context;
  const { tenantId } = binding;
  const stamp = { writeId: autoId(), at: new Date() };
  const stateRef = importsStateRef(firestore, tenantId);
  const items = itemsRef(firestore, tenantId);
  const itemRefs = rows.map((row) => items.doc(row.id));
  const tombstoneRefs = look.tombstones ? rows.map((row) => tombstoneRef(firestore, tenantId, row.id)) : [];

  const { result } = await commitTenantWrite<PageResult>(firestore, binding, {
    ...stamp,
    via: "import",
    receipt: chunkRef(job, identity.chunk),
    ownReceipt: false,
    reads: [stateRef, ...(look.items ? itemRefs : []), ...tombstoneRefs],
    recall: (receipt, own) => recallPage(receipt, own, context, page),
    apply: ([stateDoc, ...documents], receipt) => {
      if (stateDoc === undefined) throw new Error("Firestore left out the imports' state");
      const state = readState(stateDoc);
      if (state.open[record.id]?.finishing !== false) throw new ImportClosed();
      if (!record.input.dryRun && state.tombstones > record.seq && !look.tombstones) throw new StateMoved();

      const there = look.items ? documents.slice(0, rows.length) : [];
      const standing = standings(rows, there, documents.slice(there.length));
      const decided = record.input.dryRun
        ? undefined
        : decide(rows, (id) => standing.get(id) ?? nothing, {
            job: { seq: record.seq, source: record.input.source, governed: context.governed },
            chunk: identity.chunk,
            tenantId,
            stamp,
            olderOpen: Object.values(state.open).some((other) => other.seq < record.seq),
          });
      const chunk = advanced(receipt, context, page, rows, decided, stamp.at);
      const changes = [
        ...itemChanges(decided, rows, itemRefs, look.items),
        ...tombstoneChanges(decided, firestore, tenantId, stateRef, state, record),
        ...reportChanges(context, page, decided),
      ];
      return {
        changes,
        events: decided?.events ?? [],
        receipt: chunk.data,
        result: {
          chunk: chunk.record,
          overtaken: false,
          known: there.some((item) => item.exists),
          writes: decided?.verdicts.length ?? 0,
        },
      };
    },
  });
  return result;
}

const nothing: Standing = { item: undefined, tombstone: undefined };

/** What the chunk's cursor says about this page; undefined: nothing yet, decide it. */
function recallPage(
  receipt: DocumentSnapshot,
  own: boolean,
  { identity }: PageContext,
  page: Page,
): PageResult | undefined {
  const chunk = readChunk(receipt);
  if (chunk === undefined) return undefined;
  if (chunk.digest !== identity.digest || chunk.firstRow !== identity.firstRow)
    throw otherBytes(identity.chunk);
  // Own: the reply to our commit was lost. What it found is known no more, so look the next time.
  if (own) return { chunk, overtaken: false, known: true, writes: page.rows.length };
  const due =
    page.to > page.from ? chunk.done === page.from : page.rows.some((row) => chunk.again.includes(row.at));
  return due ? undefined : { chunk, overtaken: true, known: true, writes: 0 };
}

export function otherBytes(chunk: number): ProblemError {
  return new ProblemError(
    "chunk-conflict",
    `Chunk ${chunk} was sent before with other bytes or another firstRow. Cancel the import if the file changed.`,
  );
}

function standings(
  rows: readonly NamedRow[],
  items: readonly DocumentSnapshot[],
  tombstones: readonly DocumentSnapshot[],
): Map<string, Standing> {
  return new Map(
    rows.map(({ id }, n) => {
      const [item, stone] = [items[n], tombstones[n]];
      const rank: Rank | undefined = stone?.exists
        ? { job: Number(stone.get("job")), row: Number(stone.get("row")) }
        : undefined;
      return [id, { item: item && fromDocument(item), tombstone: rank }];
    }),
  );
}

/** The chunk's document after this page. */
function advanced(
  receipt: DocumentSnapshot | undefined,
  { identity, record }: PageContext,
  page: Page,
  rows: readonly NamedRow[],
  decided: Decisions | undefined,
  at: Date,
) {
  const before = receipt === undefined ? undefined : readChunk(receipt);
  const counts = addCounts(
    addCounts(before?.counts ?? noCounts, page.counts),
    decided?.counts ?? { valid: rows.length },
  );
  // Rows that are decided once more were counted as unchanged the first time.
  if (page.from === page.to) counts.unchanged -= rows.length;
  const next: ChunkRecord = {
    ...identity,
    done: page.to,
    counts: { ...counts, rows: page.to },
    nameless: (before?.nameless ?? 0) + page.nameless,
    again: (before?.again ?? []).filter((place) => !rows.some((row) => row.at === place)),
    updatedAt: at,
  };
  const ids = Buffer.concat([receipt === undefined ? Buffer.alloc(0) : readIds(receipt), idsOf(page, rows)]);
  return { record: next, data: chunkDocument(next, ids, importExpiry(record.createdAt)) };
}

/** What the page's rows name, row by row. */
function idsOf(page: Page, rows: readonly NamedRow[]): Buffer {
  const named: (string | undefined)[] = Array.from({ length: page.to - page.from });
  if (named.length === 0) return Buffer.alloc(0);
  for (const { at, id } of rows) named[at - page.from] = id;
  for (const { at, externalId } of page.named) named[at - page.from] = itemIdFor(externalId, undefined);
  return packIds(named);
}

function itemChanges(
  decided: Decisions | undefined,
  rows: readonly NamedRow[],
  refs: readonly DocumentReference[],
  looked: boolean,
): Change[] {
  if (decided === undefined) return [];
  const refOf = new Map(rows.map((row, n) => [row.id, refs[n]]));
  // A database takes a commit's locks in the order of their names: given in that order there is nothing left to sort.
  const ordered = decided.verdicts.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return ordered.flatMap(({ id, after }) => {
    const ref = refOf.get(id);
    if (ref === undefined) return [];
    return [{ ref, data: after === null ? null : toDocument(after), ...(looked ? {} : { create: true }) }];
  });
}

function tombstoneChanges(
  decided: Decisions | undefined,
  firestore: Firestore,
  tenantId: string,
  stateRef: DocumentReference,
  state: ImportsState,
  record: ImportRecord,
): Change[] {
  if (decided === undefined || decided.tombstones.length === 0) return [];
  const expiresAt = importExpiry(record.createdAt);
  const stones = decided.tombstones.map(({ id, rank }) => ({
    ref: tombstoneRef(firestore, tenantId, id),
    data: { ...rank, expiresAt },
  }));
  if (state.tombstones >= record.seq) return stones;
  return [...stones, { ref: stateRef, data: stateDocument({ ...state, tombstones: record.seq }) }];
}

function reportChanges(
  { job, record, identity }: PageContext,
  page: Page,
  decided: Decisions | undefined,
): Change[] {
  const refused = (decided?.refused ?? []).map(
    ({ row, note }): RowReport => ({ chunk: identity.chunk, refused: true, notes: [note], ...row.source }),
  );
  const reports = [...page.reports, ...refused].sort((a, b) => a.row - b.row);
  return reportDocuments(reports, importExpiry(record.createdAt)).map((data, part) => ({
    ref: reportRef(job, identity.chunk, page.from, part),
    data,
  }));
}

function alreadyExists(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === 6;
}
