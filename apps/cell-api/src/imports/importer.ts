import { setImmediate } from "node:timers/promises";
import { addCounts, type ChunkAnswer, type CompleteInput, noCounts, ProblemError } from "@proveniq/contracts";
import type {
  ChunkIdentity,
  ChunkRecord,
  ImportRecord,
  Page,
  PageResult,
  TenantDb,
} from "@proveniq/db/tenant";
import { type Chunk, chunkReader } from "@proveniq/rows";
import type { ChunkBody } from "./body.ts";
import { governedBy } from "./governed.ts";
import { type Pace, unlimitedPace } from "./pace.ts";
import { againPage, nextPage } from "./pages.ts";
import { restMs } from "./ramp.ts";
import { Slots } from "./slots.ts";

/** How long one call works before it answers 202, in milliseconds. */
const callMs = 25_000;
/** How often an import's refused rows are counted over all instances, while there are more of them. */
const countMs = 2_000;
/** How often the ramp's last use is noted. */
const rampNoteMs = 60_000;
/** Imports that are remembered, with their compiled mapping. */
const mostJobs = 50;

/** When to call again while imports are paused, in seconds: soon after they go on, and no load until then. */
const pausedSeconds = 10;

export interface ImporterOptions {
  /** Whether an operator has paused the imports of this cell. */
  pauses: { current(): Promise<unknown> };
  pace: Pace;
  /** Of the whole cell, for people to see; null: no pace is kept. */
  writesPerSecond: number | null;
  now?: () => number;
  /** For tests: how long one call works. */
  callMs?: number;
}

/** An answer, and when to call again if it is not the last. */
export interface Progressed<T> {
  answer: T;
  retryAfterSeconds?: number;
}

/** An import that this process works on. Its format and mapping never change. */
interface Job {
  record: ImportRecord;
  open: (bytes: Buffer, n: number) => Chunk;
  /** Refused rows as they were last counted, and those that were found here since. */
  failed: number;
  countedAt: number;
}

/** Works on the imports of all tenants of this process. */
export class Importer {
  readonly writesPerSecond: number | null;
  readonly #pauses: ImporterOptions["pauses"];
  readonly #pace: Pace;
  readonly #now: () => number;
  readonly #callMs: number;
  readonly #slots = new Slots();
  readonly #jobs = new Map<string, Job>();
  readonly #rampNotedAt = new Map<string, number>();

  constructor(options: ImporterOptions) {
    this.#pauses = options.pauses;
    this.#pace = options.pace;
    this.writesPerSecond = options.writesPerSecond;
    this.#now = options.now ?? Date.now;
    this.#callMs = options.callMs ?? callMs;
  }

  get pace(): Pace {
    return this.#pace;
  }

  /** Throws `imports-paused` while they are: nothing is begun, and nothing is lost. */
  async admit(): Promise<void> {
    if (!(await this.#paused())) return;
    throw new ProblemError(
      "imports-paused",
      "Imports of this cell are paused; reading and single writes go on. What was taken stays: repeat the same request after Retry-After.",
      { headers: { "retry-after": String(pausedSeconds) } },
    );
  }

  async #paused(): Promise<boolean> {
    return (await this.#pauses.current()) !== undefined;
  }

  /** The import, remembered: its format and mapping never change. */
  async find(db: TenantDb, id: string): Promise<ImportRecord> {
    return (await this.#job(db, id)).record;
  }

  /**
   * Work on a chunk until it is done or the time of the call is over; put again, it goes on where it was. Throws what
   * `openChunk` and the reading of the chunk throw, and `too-many-requests` when this instance has enough to do.
   */
  async put(
    db: TenantDb,
    id: string,
    n: number,
    firstRow: number,
    body: ChunkBody,
  ): Promise<Progressed<ChunkAnswer>> {
    const until = this.#now() + this.#callMs;
    const job = await this.#job(db, id);
    const chunk = job.open(body.bytes, n);
    const identity = { chunk: n, digest: body.digest, firstRow, rows: chunk.rows };
    const outcome = await this.#slots.run(db.binding.tenantId, `${id}/${n}`, () =>
      this.#work(db, job, identity, chunk, until),
    );
    if (outcome === "full") {
      throw new ProblemError("too-many-requests", "This instance works on enough chunks. Put it again.", {
        headers: { "retry-after": "1" },
      });
    }
    if (outcome !== "running") return outcome.done;
    const { chunk: record } = await db.imports.openChunk(id, identity);
    return { answer: answerOf(record ?? blank(identity)), retryAfterSeconds: 2 };
  }

  /** Take the end of an import as far as the time of the call allows. */
  async complete(db: TenantDb, id: string, complete: CompleteInput): Promise<Progressed<ImportRecord>> {
    const until = this.#now() + this.#callMs;
    const { tenantId } = db.binding;
    const outcome = await this.#slots.run(tenantId, `${id}/complete`, () =>
      db.imports.finish(id, complete, {
        pace: async (writes) =>
          this.#now() < until &&
          !(await this.#paused()) &&
          (await this.#pace.take(tenantId, writes, until - this.#now())),
        over: () => this.#now() >= until,
      }),
    );
    if (outcome === "full" || outcome === "running") {
      return { answer: await db.imports.get(id), retryAfterSeconds: 2 };
    }
    const { record, ended } = outcome.done;
    return ended ? { answer: record } : { answer: record, retryAfterSeconds: 1 };
  }

  async #work(
    db: TenantDb,
    job: Job,
    identity: ChunkIdentity,
    chunk: Chunk,
    until: number,
  ): Promise<Progressed<ChunkAnswer>> {
    const { id } = job.record;
    const { record, chunk: known } = await db.imports.openChunk(id, identity);
    let at = known ?? blank(identity);
    let begun = known !== undefined;
    if (begun && isDone(at)) return { answer: answerOf(at) };
    await this.#ramp(db, record);

    const { input } = record;
    const { tenantId } = db.binding;
    const governed = governedBy(input.mapping);
    const pace = input.dryRun ? unlimitedPace : this.#pace;
    let expect: "new" | "known" = "new";
    const most = () => (input.dryRun ? chunk.rows : pageRows(pace.rateOf(tenantId)));
    let ahead: Page | undefined;
    while (!begun || !isDone(at)) {
      if (this.#now() >= until) return this.#later(tenantId, at);
      if (await this.#paused()) return { answer: answerOf(at, "working"), retryAfterSeconds: pausedSeconds };
      const page =
        at.done >= chunk.rows
          ? againPage(chunk, identity, at)
          : ahead?.from === at.done
            ? ahead
            : nextPage(chunk, identity, at, most());
      const cost = page.rows.length + 1;
      if (!(await pace.take(tenantId, cost, until - this.#now()))) return this.#later(tenantId, at);
      const [result, next]: [PageResult, Page | undefined] = await Promise.all([
        db.imports.commitPage(record, governed, identity, page, expect),
        readAhead(chunk, identity, at, page, most()),
      ]);
      ahead = next;
      pace.giveBack(tenantId, cost - result.writes - 1);
      expect = result.known ? "known" : "new";
      await this.#requireFewErrors(db, job, result.chunk.counts.failed - at.counts.failed);
      at = result.chunk;
      begun = true;
    }
    return { answer: answerOf(at) };
  }

  #later(tenantId: string, at: ChunkRecord): Progressed<ChunkAnswer> {
    return { answer: answerOf(at, "working"), retryAfterSeconds: this.#pace.secondsUntilFree(tenantId) };
  }

  /**
   * Stop the import when it has more errors than it may; `more` were found now. Counting them all reads every chunk, so it is done
   * when these may be too many, and now and then for what other instances found. The end of the import counts once more.
   */
  async #requireFewErrors(db: TenantDb, job: Job, more: number): Promise<void> {
    if (more === 0) return;
    job.failed += more;
    if (job.failed <= job.record.input.maxErrors && this.#now() < job.countedAt + countMs) return;
    job.countedAt = this.#now();
    job.failed = await db.imports.requireFewErrors(job.record);
  }

  async #ramp(db: TenantDb, { input }: ImportRecord): Promise<void> {
    if (input.dryRun || this.#pace === unlimitedPace) return;
    const { tenantId } = db.binding;
    const now = this.#now();
    if (now - (this.#rampNotedAt.get(tenantId) ?? 0) < rampNoteMs) return;
    this.#rampNotedAt.set(tenantId, now);
    this.#pace.ramp(tenantId, (await db.imports.keepRamp(new Date(now), restMs)).getTime());
  }

  async #job(db: TenantDb, id: string): Promise<Job> {
    const key = `${db.binding.tenantId}/${id}`;
    const known = this.#jobs.get(key);
    if (known !== undefined) return known;
    const record = await db.imports.get(id);
    const made = { record, open: chunkReader(record.input), failed: 0, countedAt: 0 };
    const [oldest] = this.#jobs.keys();
    if (this.#jobs.size >= mostJobs && oldest !== undefined) this.#jobs.delete(oldest);
    this.#jobs.set(key, made);
    return made;
  }
}

/**
 * Rows in a page: one transaction. Where the pace is slow pages are small, so that the database is never busy with one for
 * longer than a fifth of a second and others' requests do not wait behind it.
 */
function pageRows(writesPerSecond: number): number {
  return Math.max(50, Math.min(500, Math.floor(writesPerSecond / 5)));
}

/**
 * The page after one that is being committed: the database and this process work at the same time. It begins after the first call
 * of the commit has gone out.
 */
async function readAhead(
  chunk: Chunk,
  identity: ChunkIdentity,
  { counts }: ChunkRecord,
  { to, counts: more }: Page,
  most: number,
): Promise<Page | undefined> {
  await setImmediate();
  if (to >= chunk.rows) return undefined;
  return nextPage(chunk, identity, { done: to, counts: addCounts(counts, more) }, most);
}

function blank(identity: ChunkIdentity): ChunkRecord {
  return { ...identity, done: 0, counts: { ...noCounts }, nameless: 0, again: [], updatedAt: new Date(0) };
}

function isDone({ done, rows, again }: ChunkRecord): boolean {
  return done >= rows && again.length === 0;
}

function answerOf(at: ChunkRecord, state?: "working"): ChunkAnswer {
  const { chunk, firstRow, rows, done, counts } = at;
  return { chunk, state: state ?? (isDone(at) ? "done" : "working"), firstRow, rows, done, counts };
}
