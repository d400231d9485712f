import type { DocumentSnapshot } from "@google-cloud/firestore";
import { addCounts, type ImportCounts, importCounts, noCounts } from "@proveniq/contracts";
import { z } from "zod";
import { CheckOver } from "./check.ts";
import { readImport, rowsExpiry } from "./documents.ts";
import { guarded } from "./guarded.ts";
import { type Page, receiptCounts, writePage } from "./page.ts";
import { pageRef, planRef, progressRef } from "./paths.ts";
import { pagesOf, readPlan } from "./plan.ts";
import { spreadOrder } from "./ranges.ts";
import { loadRange } from "./rows.ts";
import type { ImportRecord, StagedChunk } from "./types.ts";
import type { Work } from "./work.ts";

/** Ranges that are open at once. */
const lanes = 8;
/** How often what is written is noted, in milliseconds. */
const noteMs = 1_000;

/** How far the writing is, as it is noted. */
export interface Written {
  check: number;
  /** What was done in the ranges that are done. */
  done: Record<string, ImportCounts>;
  /** What was done in others, about. */
  partial: ImportCounts;
  /** Rows a second. */
  rate: number;
}

const written = z.strictObject({
  check: z.int(),
  done: z.record(z.string(), importCounts),
  partial: importCounts,
  rate: z.number(),
});

export function readWritten(snapshot: DocumentSnapshot): Written | undefined {
  return snapshot.exists ? written.parse(JSON.parse(z.string().parse(snapshot.get("written")))) : undefined;
}

export function sumOf(all: Iterable<ImportCounts>): ImportCounts {
  let sum = { ...noCounts };
  for (const counts of all) sum = addCounts(sum, counts);
  return sum;
}

/** A range that is being written. */
interface Lane {
  range: number;
  pages: Page[];
  /** Pages that are not done. */
  left: number;
  counts: ImportCounts;
}

/**
 * Write all pages of the plan, from where the last call left off, several at once. Answers what was done in all; undefined when the
 * time of the call was over first. A page that is done stays done, whoever did it.
 */
export async function writeAll(
  work: Work,
  record: ImportRecord,
  chunks: readonly StagedChunk[],
): Promise<ImportCounts | undefined> {
  const writing = new Writing(work, record);
  await writing.load();
  const { ranges } = record.engine;
  const order = spreadOrder(ranges, lanes).filter((range) => !writing.isDone(range));
  const open: Lane[] = [];
  const pending = new Set<Promise<void>>();
  let failure: Error | undefined;
  let begun = 0;
  try {
    for (let turn = 0; order.length > 0 || open.length > 0; turn++) {
      if (failure !== undefined || (begun > 0 && work.step.over())) break;
      while (open.length < lanes && order.length > 0) {
        const range = order.shift();
        if (range === undefined) break;
        const lane = await openLane(work, record, chunks, range);
        if (lane.left === 0) writing.finish(lane);
        else open.push(lane);
      }
      const lane = open[turn % open.length];
      const page = lane?.pages.shift();
      if (lane === undefined || page === undefined) {
        if (lane !== undefined) open.splice(open.indexOf(lane), 1);
        continue;
      }
      const cost = page.entries.length + 1;
      if (!(await work.step.pace(cost))) {
        lane.pages.unshift(page);
        break;
      }
      begun++;
      const one = writing
        .write(lane, page, cost)
        .catch((error: unknown) => {
          failure ??= error instanceof Error ? error : new Error(String(error));
        })
        .finally(() => pending.delete(one));
      pending.add(one);
      while (pending.size >= work.step.limits.inFlight) await Promise.race(pending);
      await work.tick();
    }
  } finally {
    await Promise.all(pending);
  }
  if (failure !== undefined) throw failure;
  await writing.note();
  return writing.total(ranges);
}

async function openLane(
  work: Work,
  record: ImportRecord,
  chunks: readonly StagedChunk[],
  range: number,
): Promise<Lane> {
  const { check, ranges } = record.engine;
  const plan = readPlan(await planRef(work.job, check, range).get());
  if (plan === undefined) {
    // Whoever ends an import meanwhile, by cancelling it or by writing its last page, deletes its plan.
    const { phase, check: now } = readImport(await work.job.get())?.engine ?? {};
    if (phase !== "writing" || now !== check) throw new CheckOver();
    throw new Error("a range was not decided");
  }
  if (plan.pages === 0) return { range, pages: [], left: 0, counts: { ...noCounts } };
  const receipts = await work.job.firestore.getAll(
    ...Array.from({ length: plan.pages }, (_, n) => pageRef(work.job, check, range, n)),
    { fieldMask: ["counts"] },
  );
  const done = receipts.filter((receipt) => receipt.exists);
  const counts = sumOf(done.map(receiptCounts));
  if (done.length === plan.pages) return { range, pages: [], left: 0, counts };
  const refused = new Set(plan.refused);
  const pages = pagesOf(plan, await loadRange(work.job, chunks, range, ranges), plan.pageRows)
    .map((entries, page): Page => ({ range, page, entries, refused }))
    .filter((_, n) => receipts[n]?.exists !== true);
  return { range, pages, left: pages.length, counts };
}

/** What is known about the pages of one check. */
class Writing {
  readonly #work: Work;
  readonly #record: ImportRecord;
  readonly #begunAt = Date.now();
  readonly #done = new Map<string, ImportCounts>();
  readonly #unsaved = new Map<string, ImportCounts>();
  readonly #open = new Map<number, ImportCounts>();
  #rows = 0;
  #notedAt = Date.now();

  constructor(work: Work, record: ImportRecord) {
    this.#work = work;
    this.#record = record;
  }

  async load(): Promise<void> {
    const known = readWritten(await progressRef(this.#work.job).get());
    if (known?.check !== this.#record.engine.check) return;
    for (const [range, counts] of Object.entries(known.done)) this.#done.set(range, counts);
  }

  isDone(range: number): boolean {
    return this.#done.has(String(range));
  }

  /** The sum over all ranges; undefined when some are not done. */
  total(ranges: number): ImportCounts | undefined {
    return this.#done.size < ranges ? undefined : sumOf(this.#done.values());
  }

  async write(lane: Lane, page: Page, cost: number): Promise<void> {
    const { counts, writes } = await writePage(this.#work, this.#record, page);
    this.#work.step.giveBack(cost - writes);
    this.#rows += page.entries.length;
    lane.counts = addCounts(lane.counts, counts);
    this.#open.set(lane.range, lane.counts);
    if (--lane.left === 0) this.finish(lane);
    if (Date.now() - this.#notedAt > noteMs) await this.note();
  }

  finish({ range, counts }: Lane): void {
    this.#open.delete(range);
    this.#done.set(String(range), counts);
    this.#unsaved.set(String(range), counts);
  }

  /** Note how far this is, together with what others have noted. */
  async note(): Promise<void> {
    this.#notedAt = Date.now();
    if (this.#unsaved.size === 0 && this.#open.size === 0) return;
    const { firestore, binding, job } = this.#work;
    const { check } = this.#record.engine;
    const saved = [...this.#unsaved];
    const rate = Math.round((1_000 * this.#rows) / Math.max(1, Date.now() - this.#begunAt));
    const ref = progressRef(job);
    await guarded(firestore, binding, [ref], ([snapshot], tx) => {
      const known = readWritten(snapshot);
      const before = known?.check === check ? known.done : {};
      const next: Written = {
        check,
        done: { ...before, ...Object.fromEntries(saved) },
        partial: sumOf(this.#open.values()),
        rate,
      };
      tx.set(ref, { written: JSON.stringify(next), expiresAt: rowsExpiry(this.#record.createdAt) });
    });
    for (const [range] of saved) this.#unsaved.delete(range);
  }
}
