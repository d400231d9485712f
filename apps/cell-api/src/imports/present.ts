import { addCounts, type ImportCounts, type ImportJob } from "@proveniq/contracts";
import { type ImportProgress, type ImportRecord, undoUntil } from "@proveniq/db/tenant";
import { rampRate, rampSeconds } from "./ramp.ts";

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
  const { id, input, createdAt, updatedAt, warnings, finish, engine } = record;
  const { plan } = engine;
  // With nobody before it it is about to be checked.
  const phase = engine.phase === "waiting" && progress.waitingFor === undefined ? "checking" : engine.phase;
  const swept = input.scope === "full" && !input.dryRun ? (finish?.deleted ?? 0) : 0;
  const counts = addCounts(progress.counts, { deleted: swept, warnings: finish?.duplicates ?? 0 });
  const rowsPerSecond = phase === "writing" ? (progress.rate ?? 0) : rateOf(progress, createdAt, now);
  const age = progress.rampStartedAt === undefined ? 0 : now - progress.rampStartedAt.getTime();
  const cap = writesPerSecond ?? Number.MAX_SAFE_INTEGER;
  const left = rowsLeft(record, counts);
  const undo = undoOf(record, counts, now);
  return {
    id,
    source: input.source,
    ...(input.fileName === undefined ? {} : { fileName: input.fileName }),
    state: phase === "receiving" || phase === "ended" ? record.state : "finishing",
    phase,
    ...(progress.waitingFor === undefined ? {} : { waitingFor: progress.waitingFor }),
    dryRun: input.dryRun,
    scope: input.scope,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
    chunks: { known: progress.chunks.length, done: progress.chunks.length, unfinished: [] },
    counts,
    ...(plan === undefined ? {} : { plan }),
    ...(undo === undefined ? {} : { undo }),
    summary: summaryOf(counts, record),
    pace: {
      rowsPerSecond: phase === "ended" ? 0 : rowsPerSecond,
      writesPerSecondAllowed: writesPerSecond === null ? cap : Math.min(cap, rampRate(age)),
      secondsLeft:
        phase !== "ended" && left !== undefined
          ? secondsLeft(left, rowsPerSecond, age, writesPerSecond)
          : null,
    },
    warnings,
  };
}

/** Rows that are not written yet; undefined when nobody knows how many there are. */
function rowsLeft({ input, engine }: ImportRecord, counts: ImportCounts): number | undefined {
  const { plan, phase } = engine;
  if (phase === "writing" && plan !== undefined) {
    const writes = plan.created + plan.changed + plan.deleted;
    return Math.max(0, writes - counts.created - counts.changed - counts.deleted);
  }
  return input.expectedRows === undefined ? undefined : Math.max(0, input.expectedRows - counts.rows);
}

function undoOf(record: ImportRecord, counts: ImportCounts, now: number): ImportJob["undo"] {
  const { engine, input } = record;
  if (engine.phase !== "ended") return undefined;
  if (engine.undo !== undefined) {
    const { state, restored, kept } = engine.undo;
    return { state, restored, kept };
  }
  const until = undoUntil(record);
  const nothing = { restored: 0, kept: 0 };
  const wrote = counts.created + counts.changed + counts.deleted > 0;
  if (until === undefined || !wrote || input.dryRun || !input.undo) return { state: "off", ...nothing };
  const state = until < now ? "expired" : "possible";
  return { state, ...nothing, until: new Date(until).toISOString() };
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
  return Math.round(recent.reduce((sum, c) => sum + c.rows, 0) / (window / 1000));
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

function summaryOf(counts: ImportCounts, { input, finish, state, engine }: ImportRecord): string {
  const number = (n: number) => n.toLocaleString("en-US");
  const parts = words.flatMap(([key, word]) => (counts[key] > 0 ? [`${number(counts[key])} ${word}`] : []));
  if (input.dryRun) {
    parts.unshift(`${number(counts.valid)} valid`);
    const gone = engine.plan?.gone ?? finish?.deleted;
    if (input.scope === "full" && gone !== undefined) parts.push(`${number(gone)} would be gone`);
    return `Dry run: ${parts.join(", ")}.`;
  }
  if (counts.valid > 0) parts.unshift(`${number(counts.valid)} to be written`);
  if (parts.length === 0) return state === "completed" ? "No rows." : "No rows yet.";
  return `${parts.join(", ")}.`;
}
