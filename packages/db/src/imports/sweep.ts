import type { DocumentReference, DocumentSnapshot, Firestore, Query } from "@google-cloud/firestore";
import { eventOf } from "../items/changes.ts";
import { fromDocument, readBody } from "../items/document.ts";
import { autoId } from "../items/ids.ts";
import { itemsRef } from "../paths.ts";
import { commitTenantWrite } from "../tenant/commit.ts";
import type { TenantBinding } from "../tenant/types.ts";
import { importExpiry, readState, stateDocument } from "./documents.ts";
import { type IdRange, idRanges, namedKeys } from "./named.ts";
import { countRef, importsStateRef, sweepRef, tombstoneRef } from "./paths.ts";
import type { FinishStep, ImportRecord } from "./types.ts";

export interface SweepContext {
  firestore: Firestore;
  binding: TenantBinding;
  job: DocumentReference;
  record: ImportRecord;
  /** Rows and chunks of the import, which have all arrived. */
  rows: number;
  chunks: number;
}

/** Deletions in one transaction. */
const pageSize = 400;
const lastRank = Number.MAX_SAFE_INTEGER;

/** What a full import would delete, once all of its source is looked through. */
export interface Gone {
  /** Items of the source. */
  total: number;
  /** Of them, those that the file does not name. */
  gone: number;
}

/** How many items are looked at between two looks at the clock. */
const lookEvery = 1_000;

/**
 * Count what a full import would delete, from where the last call left off; undefined when the time is over before the
 * end. A count that is done stands: what people change meanwhile is not what is asked about.
 */
export async function countGone(context: SweepContext, step: FinishStep): Promise<Gone | undefined> {
  const ref = countRef(context.job);
  const stored = await ref.get();
  const known = stored.get("rows") === context.rows;
  let { total, gone, cursor } = known ? countOf(stored) : { total: 0, gone: 0, cursor: "" };
  if (cursor === done) return { total, gone };
  const save = (at: string) => ref.set({ rows: context.rows, total, gone, cursor: at });
  for (const range of idRanges(context.rows)) {
    if (range.to !== undefined && cursor >= range.to) continue;
    const named = await namedKeys(context, range);
    for await (const doc of ofSource(context, range, cursor).stream()) {
      const snapshot = doc as unknown as DocumentSnapshot;
      cursor = snapshot.id;
      if (isNewer(snapshot, context.record)) continue;
      total++;
      if (!named.has(snapshot.id)) gone++;
      if (total % lookEvery === 0 && step.over()) {
        await save(cursor);
        return undefined;
      }
    }
  }
  await save(done);
  return { total, gone };
}

/** Beyond every id. */
const done = "~";

function countOf(snapshot: DocumentSnapshot) {
  const { total, gone, cursor } = snapshot.data() ?? {};
  return { total: Number(total), gone: Number(gone), cursor: String(cursor) };
}

/**
 * Delete what the file does not name, from where the last call left off. Answers how many are deleted by now and
 * whether that was all; false when the time of the call was over first.
 */
export async function sweep(
  context: SweepContext,
  step: FinishStep,
): Promise<{ deleted: number; ended: boolean }> {
  let { cursor, deleted } = await readCursor(context);
  let looked = 0;
  for (const range of idRanges(context.rows)) {
    if (range.to !== undefined && cursor >= range.to) continue;
    const named = await namedKeys(context, range);
    let page: string[] = [];
    const flush = async () => {
      if (page.length > 0) ({ cursor, deleted } = await deletePage(context, page, { cursor, deleted }));
      page = [];
    };
    for await (const doc of ofSource(context, range, cursor).stream()) {
      const snapshot = doc as unknown as DocumentSnapshot;
      if (!isNewer(snapshot, context.record) && !named.has(snapshot.id)) page.push(snapshot.id);
      const over = ++looked % lookEvery === 0 && step.over();
      if (page.length < pageSize && !over) continue;
      await flush();
      if (over || !(await step.pace(pageSize))) return { deleted, ended: false };
    }
    await flush();
  }
  return { deleted, ended: true };
}

interface Cursor {
  /** Ids up to this one are done. */
  cursor: string;
  deleted: number;
}

async function readCursor({ job }: SweepContext): Promise<Cursor> {
  return cursorOf(await sweepRef(job).get());
}

function cursorOf(snapshot: DocumentSnapshot): Cursor {
  const [cursor, deleted]: unknown[] = [snapshot.get("cursor"), snapshot.get("deleted")];
  return {
    cursor: typeof cursor === "string" ? cursor : "",
    deleted: typeof deleted === "number" ? deleted : 0,
  };
}

async function deletePage(context: SweepContext, ids: readonly string[], from: Cursor): Promise<Cursor> {
  const { firestore, binding, job, record } = context;
  const { tenantId } = binding;
  const stateRef = importsStateRef(firestore, tenantId);
  const refs = ids.map((id) => itemsRef(firestore, tenantId).doc(id));
  const { result } = await commitTenantWrite<Cursor>(firestore, binding, {
    writeId: autoId(),
    at: new Date(),
    via: "import",
    receipt: sweepRef(job),
    ownReceipt: false,
    reads: [stateRef, ...refs],
    recall: (receipt, own) => {
      const there = cursorOf(receipt);
      return own || there.cursor > from.cursor ? there : undefined;
    },
    apply: ([stateDoc, ...documents]) => {
      if (stateDoc === undefined) throw new Error("Firestore left out the imports' state");
      const state = readState(stateDoc);
      const olderOpen = Object.values(state.open).some((other) => other.seq < record.seq);
      const gone = documents.flatMap((document) => {
        const item = fromDocument(document);
        const stays =
          item?.imported === undefined ||
          item.imported.source !== record.input.source ||
          item.imported.job > record.seq;
        return stays ? [] : [{ document, item }];
      });
      const stones = olderOpen && gone.length > 0;
      const expiresAt = importExpiry(record.createdAt);
      const next = { cursor: ids.at(-1) ?? from.cursor, deleted: from.deleted + gone.length };
      return {
        changes: [
          ...gone.map(({ document }) => ({ ref: document.ref, data: null })),
          ...(stones
            ? gone.map(({ document }) => ({
                ref: tombstoneRef(firestore, tenantId, document.id),
                data: { job: record.seq, row: lastRank, expiresAt },
              }))
            : []),
          ...(stones && state.tombstones < record.seq
            ? [{ ref: stateRef, data: stateDocument({ ...state, tombstones: record.seq }) }]
            : []),
        ],
        events: gone.map(({ document, item }) => eventOf(document.id, item.input, undefined)),
        receipt: next,
        result: next,
      };
    },
  });
  return result;
}

/** A newer import has decided about it since. */
function isNewer(snapshot: DocumentSnapshot, record: ImportRecord): boolean {
  return (readBody(snapshot.data() ?? {}).job ?? 0) > record.seq;
}

/** Items of the import's source by id. */
function ofSource(
  { firestore, binding, record }: SweepContext,
  range: IdRange,
  after: string | undefined,
): Query {
  const named = itemsRef(firestore, binding.tenantId)
    .where("importSource", "==", record.input.source)
    .orderBy("__name__")
    .select("body");
  const from =
    after !== undefined && after >= range.from && after !== ""
      ? named.startAfter(after)
      : named.startAt(range.from);
  return range.to === undefined ? from : from.endBefore(range.to);
}
