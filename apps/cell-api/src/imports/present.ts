import { addCounts, type ImportCounts, type ImportJob } from "@proveniq/contracts";
import type { ImportProgress, ImportRecord } from "@proveniq/db/tenant";
import { rampRate, rampSeconds } from "./ramp.ts";

/** The most unfinished chunks that are named. */
const mostNamed = 100;
/** Over how long the rate of rows is taken, in milliseconds. */
const windowMs = 60_000;

export interface PaceFacts {
  /** Of the whole cell; null: no pace is kept. */
  writesPerSecond: number | null;
}

/** An import as clients see it. */
export function presentImport(
  record: ImportRecord,
  progress: ImportProgress,
  { writesPerSecond }: PaceFacts,
  now: number,
): ImportJob {
  const { id, input, state, createdAt, updatedAt, warnings, finish } = record;
  const swept = input.scope === "full" && !input.dryRun ? (finish?.deleted ?? 0) : 0;
  const counts = addCounts(progress.counts, { deleted: swept, warnings: finish?.duplicates ?? 0 });
  const unfinished = progress.chunks.flatMap((c) => (c.done < c.rows || c.again.length > 0 ? [c.chunk] : []));
  const rowsPerSecond = rateOf(progress, createdAt, now);
  const age = progress.ramp === undefined ? 0 : now - progress.ramp.startedAt.getTime();
  const cap = writesPerSecond ?? Number.MAX_SAFE_INTEGER;
  const left = input.expectedRows === undefined ? undefined : Math.max(0, input.expectedRows - counts.rows);
  const open = state === "open" || state === "finishing";
  return {
    id,
    source: input.source,
    ...(input.fileName === undefined ? {} : { fileName: input.fileName }),
    state,
    phase: state === "open" ? "receiving" : state === "finishing" ? "writing" : "ended",
    dryRun: input.dryRun,
    scope: input.scope,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
    chunks: {
      known: progress.chunks.length,
      done: progress.chunks.length - unfinished.length,
      unfinished: unfinished.slice(0, mostNamed),
    },
    counts,
    summary: summaryOf(counts, record),
    pace: {
      rowsPerSecond: open ? rowsPerSecond : 0,
      writesPerSecondAllowed: writesPerSecond === null ? cap : Math.min(cap, rampRate(age)),
      secondsLeft: open && left !== undefined ? secondsLeft(left, rowsPerSecond, age, writesPerSecond) : null,
    },
    warnings,
  };
}

/** The slower of what was measured and what the ramp allows; null when neither is known. */
function secondsLeft(rows: number, measured: number, age: number, cap: number | null): number | null {
  const paced = cap === null ? 0 : rampSeconds(rows, age, cap);
  if (measured === 0) return cap === null ? null : Math.ceil(paced);
  return Math.ceil(Math.max(paced, rows / measured));
}

function rateOf({ chunks }: ImportProgress, createdAt: Date, now: number): number {
  const window = Math.max(1_000, Math.min(windowMs, now - createdAt.getTime()));
  const recent = chunks.filter((c) => c.updatedAt.getTime() > now - window);
  return Math.round(recent.reduce((sum, c) => sum + c.done, 0) / (window / 1000));
}

const words: readonly [keyof ImportCounts, string][] = [
  ["created", "created"],
  ["changed", "changed"],
  ["unchanged", "unchanged"],
  ["deleted", "gone"],
  ["absent", "already gone"],
  ["superseded", "superseded"],
  ["blank", "blank"],
  ["failed", "refused"],
];

function summaryOf(counts: ImportCounts, { input, finish, state }: ImportRecord): string {
  const number = (n: number) => n.toLocaleString("en-US");
  const parts = words.flatMap(([key, word]) => (counts[key] > 0 ? [`${number(counts[key])} ${word}`] : []));
  if (input.dryRun) {
    parts.unshift(`${number(counts.valid)} valid`);
    if (input.scope === "full" && finish !== undefined) parts.push(`${number(finish.deleted)} would be gone`);
    return `Dry run: ${parts.join(", ")}.`;
  }
  if (parts.length === 0) return state === "completed" ? "No rows." : "No rows yet.";
  return `${parts.join(", ")}.`;
}
