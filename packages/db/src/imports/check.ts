import type { ImportCounts, ImportPlan } from "@proveniq/contracts";
import { addCounts, noCounts } from "@proveniq/contracts";
import type { DecideOptions } from "./decide.ts";
import { importExpiry, linesDocuments, readStand, rowsExpiry } from "./documents.ts";
import { guarded } from "./guarded.ts";
import { Lookup } from "./lookup.ts";
import { checkReportRef, planRef } from "./paths.ts";
import { addPlans, noPlan, planDocument, planRange, type RangeHead, readHead } from "./plan.ts";
import { type Group, loadRange } from "./rows.ts";
import { withSources } from "./sources.ts";
import type { ImportRecord, StagedChunk } from "./types.ts";
import type { Work } from "./work.ts";

/** Duplicates that the report of an import lists one by one; all are counted. */
const mostListed = 1_000;
/** Bytes of a page's content, so that its commit stays well below the database's 10 MiB. */
const pageBytes = 3 * 1024 * 1024;

/** What a whole check counted. */
export interface Checked {
  plan: ImportPlan;
  rest: ImportCounts;
}

/**
 * Decide about all ranges, from where the last call left off; undefined when the time of the call was over first. What is
 * decided about a range stands for as long as the check does.
 */
export async function checkAll(
  work: Work,
  record: ImportRecord,
  chunks: readonly StagedChunk[],
): Promise<Checked | undefined> {
  const { ranges } = record.engine;
  const heads = await headsOf(work, record);
  const open = Array.from({ length: ranges }, (_, n) => n).filter((n) => heads[n] === undefined);
  const { source, scope } = record.input;
  const rows = chunks.reduce((sum, c) => sum + c.counts.valid, 0);
  const lookup = new Lookup(work, { source, full: scope === "full", ranges, rows });
  let ahead: Promise<Group[]> | undefined;
  try {
    for (const [n, range] of open.entries()) {
      if (n > 0 && work.step.over()) return undefined;
      const groups = await (ahead ?? loadRange(work.job, chunks, range, ranges));
      const next = open[n + 1];
      ahead = next === undefined ? undefined : loadRange(work.job, chunks, next, ranges);
      // It is awaited by the next turn, unless there is none.
      ahead?.catch(() => undefined);
      heads[range] = await checkRange(work, record, range, groups, lookup);
      await work.tick();
    }
  } finally {
    await lookup.close();
  }
  let [plan, rest] = [{ ...noPlan }, { ...noCounts }];
  for (const head of heads) {
    if (head === undefined) throw new Error("a range was not decided");
    plan = addPlans(plan, head.plan);
    rest = addCounts(rest, head.rest);
  }
  plan.failed += chunks.reduce((sum, c) => sum + c.counts.failed, 0);
  return { plan, rest };
}

/** The ranges that are decided. */
async function headsOf({ job }: Work, { engine }: ImportRecord): Promise<(RangeHead | undefined)[]> {
  const heads: (RangeHead | undefined)[] = [];
  for (let n = 0; n < engine.ranges; n += 300) {
    const count = Math.min(300, engine.ranges - n);
    const refs = Array.from({ length: count }, (_, i) => planRef(job, engine.check, n + i));
    heads.push(...(await job.firestore.getAll(...refs, { fieldMask: ["head"] })).map(readHead));
  }
  return heads;
}

async function checkRange(
  work: Work,
  record: ImportRecord,
  range: number,
  groups: readonly Group[],
  lookup: Lookup,
): Promise<RangeHead> {
  const { engine } = record;
  const { pageRows } = work.step.limits;
  const { plan, reports } = planRange(groups, await lookup.range(range, groups), {
    ...decideOptions(work, record),
    pageRows,
    pageBytes,
    listed: Math.ceil(mostListed / engine.ranges),
  });
  const sourced = await withSources(work, record, reports);
  const ref = planRef(work.job, engine.check, range);
  return guarded(work.firestore, work.binding, [ref, work.job], ([there, job], tx) => {
    // Somebody else was here too: what stands first, stands.
    const known = readHead(there);
    if (known !== undefined) return known;
    const now = readStand(job);
    if (now?.check !== engine.check || now.phase !== "checking") throw new CheckOver();
    tx.create(ref, planDocument(plan, pageRows, rowsExpiry(record.createdAt)));
    for (const [n, data] of linesDocuments(sourced, importExpiry(record.createdAt)).entries()) {
      tx.set(checkReportRef(work.job, engine.check, range, String(n)), data);
    }
    return plan;
  });
}

/** The check is not what this call works on any more: it was cancelled, or another call ended it. */
export class CheckOver extends Error {}

/** What stays the same for all things of an import. */
export function decideOptions({ binding, step }: Work, { input, seq }: ImportRecord): DecideOptions {
  return { tenantId: binding.tenantId, source: input.source, seq, governed: step.governed(input) };
}
