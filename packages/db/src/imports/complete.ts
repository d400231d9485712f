import { isDeepStrictEqual } from "node:util";
import { addCounts, type CompleteInput, type ImportCounts, ProblemError } from "@proveniq/contracts";
import { autoId } from "../items/ids.ts";
import { type Checked, CheckOver, checkAll } from "./check.ts";
import { chunksOf, missingOf, problemOf } from "./chunks.ts";
import { closed, closeImport, ended, requireFew } from "./close.ts";
import { readImport } from "./documents.ts";
import { importRef, stagedRef } from "./paths.ts";
import { change, closedIn, Lease, without } from "./queue.ts";
import { rangesFor } from "./ranges.ts";
import { RowsMissing } from "./rows.ts";
import { sweepUp } from "./sweep-up.ts";
import type { ImportRecord, Refusal, StagedChunk, Stand, Step } from "./types.ts";
import { undoAll } from "./undo.ts";
import type { Place, Work } from "./work.ts";
import { sumOf, writeAll } from "./write.ts";

/**
 * Complete an import: put it in the queue of its tenant's, and work on the queue until it is done or the time of the call is over.
 * Those before it are worked on first, whoever began them.
 */
export async function completeImport(place: Place, request: CompleteInput, step: Step): Promise<Stand> {
  let seen: ImportRecord["engine"]["unseen"];
  const chunks = await chunksOf(place.job);
  const record = await change(place, ({ record, queue, state }) => {
    seen = undefined;
    const { engine } = record;
    if (record.state === "completed") return undefined;
    if (engine.phase === "ended") throw closed(record);
    if (engine.phase === "receiving") {
      const { unseen, ...rest } = engine;
      if (unseen !== undefined && isDeepStrictEqual(unseen.request, request)) {
        seen = unseen;
        return { record: { ...record, engine: rest } };
      }
      const missing = missingOf(chunks, request);
      if (missing !== undefined) throw problemOf(missing);
      const entries = [...without(queue, record.id).entries, { id: record.id, kind: "import" as const }];
      return {
        record: { ...record, engine: { ...rest, phase: "waiting", request } },
        queue: { ...queue, entries },
        ...(state.open[record.id] === undefined ? { state: opened(state, record) } : {}),
      };
    }
    return isDeepStrictEqual(engine.request, request)
      ? undefined
      : { record: { ...record, engine: { ...engine, request } } };
  });
  if (record.state === "completed") return { record, ended: true };
  if (seen === undefined) {
    const stand = await drive(place, step);
    // Another's call may have brought it to its end: what came of it waits there.
    return stand.record.engine.unseen === undefined ? stand : completeImport(place, request, step);
  }
  if (seen.problem !== undefined) throw problemOf(seen.problem);
  return { record, ended: true };
}

function opened(state: Parameters<typeof closedIn>[0], { id, seq, input }: ImportRecord) {
  return { ...state, open: { ...state.open, [id]: { seq, source: input.source, finishing: false } } };
}

/** Work on the tenant's queue until this import is off it, or the time of the call is over. */
export async function drive(place: Place, step: Step): Promise<Stand> {
  const { firestore, binding, id } = place;
  const lease = new Lease(place, autoId());
  const read = async () => {
    const record = readImport(await place.job.get());
    if (record === undefined) throw new ProblemError("not-found", "There is no such import.");
    return record;
  };
  try {
    for (let turn = 0; ; turn++) {
      const first = await lease.take(id);
      // Before the look at the clock: a preview that ends with its call must not begin anew with the next.
      if (first === undefined) return settled(await read());
      if (turn > 0 && step.over()) return { record: await read(), ended: false };
      if (first === "taken") return { record: await read(), ended: false };
      const job = importRef(firestore, binding.tenantId, first.id);
      if (job === undefined) throw new Error("not an import's id");
      const work: Work = { firestore, binding, job, id: first.id, step, tick: () => lease.tick() };
      const record = readImport(await job.get());
      const result =
        record === undefined
          ? "dropped"
          : first.kind === "undo"
            ? await undoAll(work, record)
            : await advance(work, record, first.id === id);
      if (result === "over") return { record: await read(), ended: false };
      if (result === "dropped") await lease.drop(first.id);
      // Said now, whatever the time: a preview that is over would be begun anew by the next call.
      else if (first.id === id) return settled(await read());
    }
  } finally {
    await lease.release().catch(() => undefined);
  }
}

/** How an import stands that is not in the queue any more. */
function settled(record: ImportRecord): Stand {
  const { state, engine } = record;
  if (engine.undo === undefined && (state === "cancelled" || state === "stopped")) throw closed(record);
  return { record, ended: true };
}

/**
 * Take the first import of the queue on. `own`: the caller asked for this one, and gets its refusals thrown; another's are kept
 * for it. `over`: the time of the call is over. `dropped`: it must leave the queue.
 */
async function advance(work: Work, found: ImportRecord, own: boolean): Promise<"ended" | "over" | "dropped"> {
  try {
    return await stages(work, found, own);
  } catch (error) {
    if (error instanceof CheckOver) return "over";
    if (error instanceof Refused) {
      await refuse(work, error.refusal, own);
      if (own) throw problemOf(error.refusal);
      return "ended";
    }
    if (error instanceof RowsMissing) {
      // Whoever ends an import deletes its rows.
      if (readImport(await work.job.get())?.engine.phase === "ended") return "over";
      await stagedRef(work.job, error.chunk).delete();
      const message = "must be put again";
      const errors = [{ path: `/chunks/${error.chunk}`, message }];
      await refuse(work, { code: "import-incomplete", errors }, own);
      if (own) throw problemOf({ code: "import-incomplete", errors });
      return "ended";
    }
    if (error instanceof ProblemError && error.code === "import-closed") {
      const now = readImport(await work.job.get());
      if (now !== undefined && now.engine.phase !== "ended")
        await closeImport(work, "stopped", lowered(error.message));
      if (own) throw error;
      return "ended";
    }
    throw error;
  }
}

function lowered(message: string): string {
  return `${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}

/** Complete is refused, and the import receives again. */
class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

async function stages(work: Work, found: ImportRecord, own: boolean): Promise<"ended" | "over" | "dropped"> {
  let record = found;
  if (!["waiting", "checking", "writing"].includes(record.engine.phase)) return "dropped";
  const chunks = await chunksOf(work.job);
  if (record.engine.phase === "waiting") record = await begin(work, record, chunks);
  if (record.engine.phase === "checking") {
    const checked = await checkAll(work, record, chunks);
    if (checked === undefined) return "over";
    record = await judge(work, record, chunks, checked, own);
    if (record.engine.phase === "ended") await sweepUp(work, record, chunks, () => work.step.over());
    if (record.engine.phase !== "writing") return "ended";
    if (work.step.over()) return "over";
  }
  const written = await writeAll(work, record, chunks);
  if (written === undefined) return "over";
  await finish(work, chunks, written);
  await sweepUp(work, record, chunks, () => work.step.over());
  return "ended";
}

/** Begin a check: from now on nothing is received. */
async function begin(
  work: Work,
  { engine }: ImportRecord,
  chunks: readonly StagedChunk[],
): Promise<ImportRecord> {
  const missing =
    engine.request === undefined ? { code: "import-incomplete" as const } : missingOf(chunks, engine.request);
  if (missing !== undefined) throw new Refused(missing);
  const bytes = Array.from({ length: engine.buckets }, (_, bucket) =>
    chunks.reduce((sum, chunk) => sum + (chunk.bytes[bucket] ?? 0), 0),
  );
  return change(work, ({ record }) => {
    if (record.engine.phase !== "waiting") throw new CheckOver();
    const { plan: _, ...rest } = record.engine;
    const check = record.engine.check + 1;
    return { record: { ...record, engine: { ...rest, phase: "checking", check, ranges: rangesFor(bytes) } } };
  });
}

/** Judge what was counted: write it, or not. */
async function judge(
  work: Work,
  record: ImportRecord,
  chunks: readonly StagedChunk[],
  { plan, rest }: Checked,
  own: boolean,
): Promise<ImportRecord> {
  await requireFew(work, record, plan.failed);
  const nameless = chunks.reduce((sum, chunk) => sum + chunk.nameless, 0);
  const { check } = record.engine;
  let refused: Refusal | undefined;
  const next = await change(work, ({ record: now, queue, state }) => {
    refused = undefined;
    const { engine } = now;
    if (engine.phase !== "checking" || engine.check !== check || engine.request === undefined)
      throw new CheckOver();
    const planned = { ...engine, plan };
    if (engine.request.preview)
      return back(now, queue, { ...planned, ...(own ? {} : { unseen: { request: engine.request } }) });
    if (now.input.dryRun) {
      const counts = dryCounts(chunks, plan);
      return {
        record: ended({ ...now, engine: planned }, "completed", { counts, chunks: chunks.length }),
        queue: without(queue, now.id),
        state: closedIn(state, now.id),
      };
    }
    refused = refusalOf(now, plan, nameless, engine.request);
    if (refused !== undefined) return { record: { ...now, engine: planned } };
    return { record: { ...now, state: "finishing", engine: { ...planned, phase: "writing", rest } } };
  });
  if (refused !== undefined) throw new Refused(refused);
  return next;
}

/** The import off the queue, receiving again. */
function back(record: ImportRecord, queue: Parameters<typeof without>[0], engine: ImportRecord["engine"]) {
  const { request: _, ...rest } = engine;
  return {
    record: { ...record, state: "open" as const, engine: { ...rest, phase: "receiving" as const } },
    queue: without(queue, record.id),
  };
}

async function refuse(work: Work, problem: Refusal, own: boolean): Promise<void> {
  await change(work, ({ record, queue }) => {
    const { engine } = record;
    if (engine.phase === "ended" || engine.phase === "receiving") return { queue: without(queue, record.id) };
    const { request } = engine;
    return back(record, queue, {
      ...engine,
      ...(own || request === undefined ? {} : { unseen: { request, problem } }),
    });
  });
}

/** Why so many deletions need to be confirmed; undefined when they do not. */
function refusalOf(
  { input }: ImportRecord,
  { gone, ofSource }: Checked["plan"],
  nameless: number,
  { confirmDeletes }: CompleteInput,
): Refusal | undefined {
  if (input.scope === "partial" || gone === 0 || confirmDeletes === gone) return undefined;
  const share = (100 * gone) / ofSource;
  if (confirmDeletes === undefined && share <= input.maxDeletePercent && nameless === 0) return undefined;
  const why =
    confirmDeletes !== undefined
      ? `${confirmDeletes} were confirmed. `
      : nameless > 0
        ? `${nameless} rows could not be read, so what they name would count as gone. `
        : `That is more than ${input.maxDeletePercent} %. `;
  return {
    code: "too-many-deletes",
    detail:
      `The file does not name ${gone} of the ${ofSource} things of this source (${share.toFixed(1)} %). ${why}` +
      `If they are gone, complete again with confirmDeletes: ${gone}.`,
  };
}

/** The counts of a dry run: its good rows are valid. */
function dryCounts(chunks: readonly StagedChunk[], plan: Checked["plan"]): ImportCounts {
  const received = sumOf(chunks.map((c) => c.counts));
  const more = plan.failed - received.failed;
  return {
    ...received,
    valid: received.valid - more,
    failed: plan.failed,
    warnings: received.warnings + plan.superseded,
  };
}

async function finish(work: Work, chunks: readonly StagedChunk[], written: ImportCounts): Promise<void> {
  const received = sumOf(chunks.map((c) => c.counts));
  await change(work, ({ record, queue, state }) => {
    if (record.engine.phase !== "writing") throw new CheckOver();
    const decided = addCounts(written, record.engine.rest ?? {});
    return {
      record: ended(record, "completed", {
        counts: addCounts({ ...received, valid: 0 }, decided),
        chunks: chunks.length,
      }),
      queue: without(queue, record.id),
      state: closedIn(state, record.id),
    };
  });
}
