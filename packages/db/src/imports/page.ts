import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { DocumentData, DocumentReference, DocumentSnapshot } from "@google-cloud/firestore";
import { addCounts, type ImportCounts, importCounts, noCounts, type RowReport } from "@proveniq/contracts";
import { z } from "zod";
import { createdEvent, eventOf } from "../items/changes.ts";
import { documentOf, fromDocument, type ItemRecord, toDocument } from "../items/document.ts";
import { autoId } from "../items/ids.ts";
import { itemsRef } from "../paths.ts";
import { type Change, commitTenantWrite, type EventBody } from "../tenant/commit.ts";
import { CheckOver, decideOptions } from "./check.ts";
import { type DecideOptions, decide } from "./decide.ts";
import { importExpiry, linesDocuments, pageExpiry, readStand } from "./documents.ts";
import { checkReportRef, pageRef, replacedRef } from "./paths.ts";
import { type Entry, refusedReport } from "./plan.ts";
import { markOf, type StagedRow, wantedOf } from "./rows.ts";
import { withSources } from "./sources.ts";
import type { ImportRecord } from "./types.ts";
import type { Work } from "./work.ts";

/** Bytes of what was replaced in one document. */
const replacedBytes = 800 * 1024;

/** A page: a part of a range that is written in one transaction. */
export interface Page {
  range: number;
  page: number;
  entries: readonly Entry[];
  /** Marks of refused rows that the report has. */
  refused: ReadonlySet<number>;
}

/** Something that a page replaced, as it is kept for undoing. */
export const replaced = z.strictObject({
  id: z.string(),
  did: z.enum(["changed", "deleted", "touched"]),
  before: z.looseObject({}),
});
export type Replaced = Omit<z.infer<typeof replaced>, "before"> & { before: ItemRecord };

/**
 * Write one page: items, events, what was replaced and the page's receipt in one transaction. Things that were not there are created
 * without looking; when one is there after all, the page is done again with looking. Done twice it is done once. Answers what
 * happened, and how many documents were written now.
 */
export async function writePage(
  work: Work,
  record: ImportRecord,
  page: Page,
): Promise<{ counts: ImportCounts; writes: number }> {
  try {
    return await attempt(work, record, page, false);
  } catch (error) {
    if (!alreadyExists(error)) throw error;
    return attempt(work, record, page, true);
  }
}

async function attempt(work: Work, record: ImportRecord, page: Page, lookAll: boolean) {
  const { firestore, binding, job } = work;
  const items = itemsRef(firestore, binding.tenantId);
  const stamp = { writeId: autoId(), at: new Date() };
  const options = decideOptions(work, record);
  const looked = page.entries.filter((entry) => lookAll || !entry.isNew);
  const refs = looked.map(({ id }) => items.doc(id));
  const receipt = pageRef(job, record.engine.check, page.range, page.page);

  const { result } = await commitTenantWrite(firestore, binding, {
    ...stamp,
    via: "import",
    receipt,
    ownReceipt: false,
    reads: [job, ...refs],
    recall: (stored, own) => ({ counts: receiptCounts(stored), writes: own ? page.entries.length : 0 }),
    apply: async ([jobDoc, ...documents]) => {
      requireWriting(jobDoc, record);
      const there = new Map(looked.map(({ id }, n) => [id, documents[n] && fromDocument(documents[n])]));
      const made = new PageMaker(options, stamp, page.refused);
      const changes: Change[] = [];
      for (const { id, group, isNew } of page.entries) {
        const after = made.decide(id, group, there.get(id));
        if (after === undefined) continue;
        const blind = isNew && !lookAll;
        changes.push({
          ref: items.doc(id),
          data: after,
          ...(blind ? { create: true } : {}),
        });
      }
      const expiresAt = pageExpiry(stamp.at);
      const reports = await withSources(work, record, made.reports);
      const kept = record.input.undo ? keptDocuments(receipt, made, expiresAt) : { fields: {}, more: [] };
      return {
        changes: [...changes, ...kept.more, ...reportChanges(work, record, page, reports)],
        events: made.events,
        receipt: { counts: made.counts, expiresAt, ...kept.fields },
        result: { counts: made.counts, writes: changes.length + 1 },
      };
    },
  });
  return result;
}

/** The import may still write, and by this very check. */
function requireWriting(jobDoc: DocumentSnapshot | undefined, { engine }: ImportRecord): void {
  const now = jobDoc && readStand(jobDoc);
  if (now?.phase !== "writing" || now.check !== engine.check) throw new CheckOver();
}

/** Makes a page's changes, thing by thing. */
class PageMaker {
  readonly counts: ImportCounts = { ...noCounts };
  readonly events: EventBody[] = [];
  readonly reports: RowReport[] = [];
  readonly created: string[] = [];
  readonly replaced: Replaced[] = [];
  readonly #options: DecideOptions;
  readonly #stamp: { writeId: string; at: Date };
  readonly #refused: ReadonlySet<number>;

  constructor(options: DecideOptions, stamp: { writeId: string; at: Date }, refused: ReadonlySet<number>) {
    this.#options = options;
    this.#stamp = stamp;
    this.#refused = refused;
  }

  /** What a thing's document becomes; undefined: it stays as it is. */
  decide(
    id: string,
    group: Entry["group"],
    existing: ItemRecord | undefined,
  ): DocumentData | null | undefined {
    const { counts } = this;
    if (group === undefined) {
      // It may have been deleted since, and entered again by somebody: then it is not of this source any more.
      if (existing?.imported?.source !== this.#options.source) return undefined;
      counts.deleted++;
      return this.#delete(id, existing);
    }
    const decision = decide(existing, group.rows, this.#options);
    counts.superseded += decision.superseded.length;
    counts.warnings += decision.superseded.length;
    counts.failed += decision.refused.length;
    for (const row of decision.refused) {
      if (!this.#refused.has(markOf(row))) this.reports.push(refusedReport(row));
    }
    const { kind, after, decides } = decision;
    if (kind === "none") return undefined;
    counts[kind === "touched" ? "unchanged" : kind]++;
    if (kind === "deleted" && existing !== undefined) return this.#delete(id, existing);
    if (kind === "created" && after === undefined && decides !== undefined) return this.#create(id, decides);
    if (after === undefined) return undefined;
    const { writeId, at } = this.#stamp;
    if (existing === undefined) {
      this.created.push(id);
      this.events.push(eventOf(id, undefined, after.input));
      return toDocument({ ...after, version: 1, writeId, createdAt: at, updatedAt: at });
    }
    this.replaced.push({ id, did: kind === "touched" ? "touched" : "changed", before: existing });
    if (kind === "touched") return toDocument({ ...existing, ...after });
    this.events.push(eventOf(id, existing.input, after.input));
    return toDocument({ ...existing, ...after, version: existing.version + 1, writeId, updatedAt: at });
  }

  /** Just as one row says, whose text has it ready. */
  #create(id: string, row: StagedRow): DocumentData {
    const { tenantId, source, seq } = this.#options;
    const { writeId, at } = this.#stamp;
    const { changed, facts, head } = wantedOf(row);
    const { ownerId = tenantId, category, marketKey } = facts;
    this.created.push(id);
    this.events.push(createdEvent(id, changed, { ...facts, ownerId }));
    const named = { ownerId, category, ...(marketKey === undefined ? {} : { marketKey }) };
    const imported = { source, job: seq, row: markOf(row) };
    return documentOf({ named, head }, { version: 1, writeId, createdAt: at, updatedAt: at, imported });
  }

  #delete(id: string, existing: ItemRecord): null {
    this.replaced.push({ id, did: "deleted", before: existing });
    this.events.push(eventOf(id, existing.input, undefined));
    return null;
  }
}

/** What was replaced: in the receipt, and in more documents when that is too long. */
function keptDocuments(
  receipt: DocumentReference,
  { created, replaced: list }: PageMaker,
  expiresAt: Date,
): { fields: DocumentData; more: Change[] } {
  const fields: DocumentData = { created: Buffer.from(created.join(""), "hex") };
  if (list.length === 0) return { fields, more: [] };
  const packed = deflateRawSync(JSON.stringify(list), { level: 1 });
  const parts: Buffer[] = [];
  for (let n = 0; n < packed.length; n += replacedBytes) parts.push(packed.subarray(n, n + replacedBytes));
  const [first, ...rest] = parts;
  return {
    fields: { ...fields, replaced: first, parts: rest.length },
    more: rest.map((bytes, n) => ({ ref: replacedRef(receipt, n + 1), data: { bytes, expiresAt } })),
  };
}

/** How many more documents hold what a page replaced. */
export function partsOf(receipt: DocumentSnapshot): number {
  return z.int().min(0).default(0).parse(receipt.get("parts"));
}

/** What a page did, from its receipt and the documents that go with it. */
export function readReplaced(
  receipt: DocumentSnapshot,
  more: readonly DocumentSnapshot[],
): { writeId: string; created: string[]; replaced: Replaced[] } {
  const writeId = z.string().parse(receipt.get("writeId"));
  const ids = bytesOf(receipt.get("created")).toString("hex");
  const created = Array.from({ length: ids.length / 32 }, (_, n) => ids.slice(n * 32, (n + 1) * 32));
  const packed = Buffer.concat([
    bytesOf(receipt.get("replaced")),
    ...more.map((doc) => bytesOf(doc.get("bytes"))),
  ]);
  if (packed.length === 0) return { writeId, created, replaced: [] };
  const list = z.array(replaced).parse(JSON.parse(inflateRawSync(packed).toString("utf8")));
  return {
    writeId,
    created,
    replaced: list.map(({ before, ...rest }) => ({ ...rest, before: revived(before) })),
  };
}

/** An item as it was kept. */
function revived(kept: object): ItemRecord {
  const { createdAt, updatedAt, ...rest } = kept as ItemRecord;
  return { ...rest, createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) };
}

function bytesOf(value: unknown): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value) : Buffer.alloc(0);
}

function reportChanges(work: Work, record: ImportRecord, page: Page, reports: RowReport[]): Change[] {
  return linesDocuments(reports, importExpiry(record.createdAt)).map((data, n) => ({
    ref: checkReportRef(work.job, record.engine.check, page.range, `page-${page.page}-${n}`),
    data,
  }));
}

/** The counts of a page that was written. */
export function receiptCounts(receipt: DocumentSnapshot): ImportCounts {
  return addCounts(noCounts, importCounts.parse(receipt.get("counts")));
}

function alreadyExists(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === 6;
}
