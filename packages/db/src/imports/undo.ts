import type { DocumentSnapshot } from "@google-cloud/firestore";
import { type ImportCounts, ProblemError, type UndoReport } from "@proveniq/contracts";
import { eventOf } from "../items/changes.ts";
import { fromDocument, type ItemRecord, toDocument } from "../items/document.ts";
import { autoId } from "../items/ids.ts";
import { itemsRef } from "../paths.ts";
import { type Change, commitTenantWrite, type EventBody } from "../tenant/commit.ts";
import { importExpiry, linesDocuments, readImport, undoDays } from "./documents.ts";
import { partsOf, readReplaced, receiptCounts } from "./page.ts";
import { replacedRef, undoReportRef } from "./paths.ts";
import { change, without } from "./queue.ts";
import type { ImportRecord } from "./types.ts";
import { undoUntil } from "./undo-until.ts";
import type { Place, Work } from "./work.ts";

/** Pages whose receipts are read at once. */
const readAtOnce = 50;

/** Put an import in the queue to be undone. `counts`: what it did. Throws `undo-impossible`. */
export async function beginUndo(place: Place, counts: ImportCounts): Promise<ImportRecord> {
  return change(place, ({ record, queue }) => {
    const { engine } = record;
    if (engine.undo !== undefined) return undefined;
    const why = whyNot(record, counts);
    if (why !== undefined) throw new ProblemError("undo-impossible", why);
    const entries = [...queue.entries, { id: record.id, kind: "undo" as const }];
    return {
      record: { ...record, engine: { ...engine, undo: { state: "working", restored: 0, kept: 0 } } },
      queue: { ...queue, entries },
    };
  });
}

function whyNot(record: ImportRecord, counts: ImportCounts): string | undefined {
  const { engine, input } = record;
  if (engine.phase !== "ended") return "It has not ended. Cancel it first.";
  if (input.dryRun || counts.created + counts.changed + counts.deleted === 0) return "It wrote nothing.";
  const until = undoUntil(record);
  if (!input.undo || until === undefined) return "What it replaced was not kept.";
  if (until < Date.now())
    return `It ended more than ${undoDays} days ago: what it replaced is no longer kept.`;
  return undefined;
}

/** Put back page by page what an import replaced. `over`: the time of the call was over first. */
export async function undoAll(work: Work, record: ImportRecord): Promise<"ended" | "over"> {
  const so = record.engine.undo;
  if (so?.state !== "working") return finishUndo(work, { restored: 0, kept: 0 });
  let { restored, kept, after } = so;
  let begun = 0;
  for (;;) {
    const all = work.job.collection("pages").orderBy("__name__").limit(readAtOnce).select("counts", "undone");
    const { docs } = await (after === undefined ? all : all.startAfter(after)).get();
    for (const receipt of docs) {
      let done = undoneOf(receipt);
      if (done === undefined) {
        const over = begun > 0 && work.step.over();
        if (over || !(await work.step.pace(writesOf(receipt) + 1))) {
          await noteUndo(work, { restored, kept, after });
          return "over";
        }
        begun++;
        done = await undoPage(work, record, await receipt.ref.get());
        await work.tick();
      }
      restored += done.restored;
      kept += done.kept;
      after = receipt.id;
    }
    if (docs.length < readAtOnce) return finishUndo(work, { restored, kept });
  }
}

async function noteUndo(work: Work, so: Undone & { after: string | undefined }): Promise<void> {
  await change(work, ({ record }) =>
    record.engine.undo?.state === "working"
      ? { record: { ...record, engine: { ...record.engine, undo: { state: "working", ...so } } } }
      : undefined,
  );
}

async function finishUndo(work: Work, { restored, kept }: Undone): Promise<"ended"> {
  await change(work, ({ record, queue }) => {
    const { undo, ...engine } = record.engine;
    const done = undo?.state === "done" ? undo : { state: "done" as const, restored, kept };
    return { record: { ...record, engine: { ...engine, undo: done } }, queue: without(queue, record.id) };
  });
  return "ended";
}

interface Undone {
  restored: number;
  kept: number;
}

function undoneOf(receipt: DocumentSnapshot): Undone | undefined {
  const [restored, kept]: unknown[] = [receipt.get("undone.restored"), receipt.get("undone.kept")];
  return typeof restored === "number" && typeof kept === "number" ? { restored, kept } : undefined;
}

function writesOf(receipt: DocumentSnapshot): number {
  const { created, changed, deleted } = receiptCounts(receipt);
  return created + changed + deleted;
}

async function undoPage(work: Work, record: ImportRecord, receipt: DocumentSnapshot): Promise<Undone> {
  const { firestore, binding } = work;
  const refs = Array.from({ length: partsOf(receipt) }, (_, n) => replacedRef(receipt.ref, n + 1));
  const more = refs.length === 0 ? [] : await firestore.getAll(...refs);
  const { writeId, created, replaced } = readReplaced(receipt, more);
  const items = itemsRef(firestore, binding.tenantId);
  const list = [
    ...created.map((id) => ({ id, did: "created" as const, before: undefined })),
    ...replaced,
  ].sort((a, b) => (a.id < b.id ? -1 : 1));
  const stamp = { writeId: autoId(), at: new Date() };
  const { result } = await commitTenantWrite<Undone>(firestore, binding, {
    ...stamp,
    via: "import",
    receipt: receipt.ref,
    ownReceipt: false,
    reads: [work.job, ...list.map(({ id }) => items.doc(id))],
    recall: undoneOf,
    apply: ([jobDoc, ...documents]) => {
      const now = jobDoc && readImport(jobDoc);
      if (now?.engine.undo?.state !== "working") throw new Error("the import is not being undone");
      const made = new Undoing(stamp);
      const changes: Change[] = [];
      for (const [n, { id, did, before }] of list.entries()) {
        const there = documents[n] && fromDocument(documents[n]);
        const after = made.decide(id, did, there, before, { writeId, seq: record.seq });
        if (after === undefined) continue;
        changes.push({ ref: items.doc(id), data: after === null ? null : toDocument(after) });
      }
      const expiresAt = importExpiry(record.createdAt);
      const [report] = linesDocuments(made.reports, expiresAt);
      if (report !== undefined) changes.push({ ref: undoReportRef(receipt.ref), data: report });
      return {
        changes,
        events: made.events,
        receipt: { counts: receipt.get("counts"), undone: made.undone, expiresAt },
        result: made.undone,
      };
    },
  });
  return result;
}

/** Puts the things of one page back. */
class Undoing {
  readonly undone: Undone = { restored: 0, kept: 0 };
  readonly events: EventBody[] = [];
  readonly reports: UndoReport[] = [];
  readonly #stamp: { writeId: string; at: Date };

  constructor(stamp: { writeId: string; at: Date }) {
    this.#stamp = stamp;
  }

  /** What a thing is to be; undefined: as it is. */
  decide(
    id: string,
    did: "created" | "changed" | "deleted" | "touched",
    there: ItemRecord | undefined,
    before: ItemRecord | undefined,
    page: { writeId: string; seq: number },
  ): ItemRecord | null | undefined {
    if (did === "touched") {
      const same = there?.writeId === before?.writeId && there?.imported?.job === page.seq;
      return same && there !== undefined ? withMark(there, before) : undefined;
    }
    const untouched = did === "deleted" ? there === undefined : there?.writeId === page.writeId;
    if (!untouched) {
      this.undone.kept++;
      const what =
        there === undefined
          ? "It was deleted since."
          : did === "deleted"
            ? "It was entered again since."
            : "It was changed since.";
      this.reports.push({ itemId: id, was: did, message: what });
      return undefined;
    }
    this.undone.restored++;
    this.events.push(eventOf(id, there?.input, before?.input));
    if (before === undefined) return null;
    const { writeId, at } = this.#stamp;
    const version = Math.max(before.version, there?.version ?? 0) + 1;
    return withMark({ ...before, version, writeId, updatedAt: at }, before);
  }
}

/** The item with the mark of another state of it. */
function withMark(record: ItemRecord, other: ItemRecord | undefined): ItemRecord {
  const { imported: _, ...item } = record;
  return other?.imported === undefined ? item : { ...item, imported: other.imported };
}
