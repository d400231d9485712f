import { type ChunkAnswer, type CompleteInput, ProblemError } from "@proveniq/contracts";
import type { ImportRecord, StagedChunk, Stand, Step, TenantDb } from "@proveniq/db/tenant";
import { type Chunk, chunkReader } from "@proveniq/rows";
import type { ChunkBody } from "./body.ts";
import { governedBy } from "./governed.ts";
import type { ImportLimitsConfig } from "./limits.ts";
import { type Pace, unlimitedPace } from "./pace.ts";
import { restMs } from "./ramp.ts";
import { readRows, rowsOf } from "./read.ts";
import { Slots } from "./slots.ts";

/** How long one call works before it answers 202, in milliseconds. */
const callMs = 25_000;
/** How often an import's refused rows are counted over all instances, while there are more of them. */
const countMs = 2_000;
/** How often the ramp's last use is noted. */
const rampNoteMs = 60_000;
/** Transactions of an import that are under way at once. */
const inFlight = 8;
/** So many things are simply got by name, however many there are besides. */
const few = 1_000;
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
  /** For tests; see there. */
  limits?: ImportLimitsConfig | undefined;
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
  readonly #limits: ImportLimitsConfig;
  readonly #slots = new Slots();
  readonly #jobs = new Map<string, Job>();
  readonly #rampNotedAt = new Map<string, number>();

  constructor(options: ImporterOptions) {
    this.#pauses = options.pauses;
    this.#pace = options.pace;
    this.writesPerSecond = options.writesPerSecond;
    this.#now = options.now ?? Date.now;
    this.#limits = options.limits ?? {};
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

  /** Into how many parts the rows of new imports go; undefined: as many as fit. */
  get buckets(): number | undefined {
    return this.#limits.buckets;
  }

  /**
   * Keep a chunk. Put again it answers the same. Throws what `findChunk` and the reading of the chunk throw, and
   * `too-many-requests` when this instance has enough to do.
   */
  async put(db: TenantDb, id: string, n: number, firstRow: number, body: ChunkBody): Promise<ChunkAnswer> {
    const job = await this.#job(db, id);
    const chunk = job.open(body.bytes, n);
    const identity = { chunk: n, digest: body.digest, firstRow, rows: chunk.rows };
    const outcome = await this.#slots.run(db.binding.tenantId, `${id}/${n}`, async () => {
      const known = await db.imports.findChunk(id, identity);
      if (known !== undefined) return known;
      const read = await readRows(chunk, { chunk: n, firstRow });
      const raw = mayRefuseLate(job.record) ? body.sent : undefined;
      const staged = await db.imports.stage(job.record, identity, { ...read, raw });
      await this.#requireFewErrors(db, job, staged.counts.failed);
      return staged;
    });
    if (outcome === "full" || outcome === "running") {
      const why =
        outcome === "full" ? "This instance works on enough chunks" : "This chunk is being taken in";
      throw new ProblemError("too-many-requests", `${why}. Put it again.`, {
        headers: { "retry-after": "1" },
      });
    }
    return answerOf(outcome.done);
  }

  /** Take an import to its end, as far as the time of the call allows. */
  async complete(db: TenantDb, id: string, complete: CompleteInput): Promise<Progressed<ImportRecord>> {
    return this.#drive(db, `${id}/complete`, id, (step) => db.imports.complete(id, complete, step));
  }

  /** Put back what an import replaced, likewise. */
  async undo(db: TenantDb, id: string): Promise<Progressed<ImportRecord>> {
    return this.#drive(db, `${id}/undo`, id, (step) => db.imports.undo(id, step));
  }

  async #drive(
    db: TenantDb,
    key: string,
    id: string,
    work: (step: Step) => Promise<Stand>,
  ): Promise<Progressed<ImportRecord>> {
    const { tenantId } = db.binding;
    const until = this.#now() + (this.#limits.callMs ?? callMs);
    let short = false;
    const outcome = await this.#slots.run(tenantId, key, () =>
      work({
        limits: {
          pageRows: this.#limits.pageRows ?? pageRows(this.#pace.rateOf(tenantId)),
          inFlight: this.#limits.inFlight ?? inFlight,
          few: this.#limits.few ?? few,
        },
        governed: ({ mapping }) => governedBy(mapping),
        rowsOf,
        pace: async (writes) => {
          if (await this.#paused()) return false;
          await this.#ramp(db);
          const granted = await this.#pace.take(tenantId, writes, Math.max(0, until - this.#now()));
          short = !granted;
          return granted;
        },
        giveBack: (writes) => this.#pace.giveBack(tenantId, writes),
        over: () => this.#now() >= until,
      }),
    );
    if (outcome === "full" || outcome === "running") {
      return { answer: await db.imports.get(id), retryAfterSeconds: 2 };
    }
    const { record, ended } = outcome.done;
    if (ended) return { answer: record };
    return { answer: record, retryAfterSeconds: short ? this.#pace.secondsUntilFree(tenantId) : 1 };
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

  async #ramp(db: TenantDb): Promise<void> {
    if (this.#pace === unlimitedPace) return;
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

/** Whether a row may be refused beside attributes that its thing has from elsewhere: where an import decides about some of them. */
function mayRefuseLate({ input }: ImportRecord): boolean {
  const governed = governedBy(input.mapping);
  return governed !== "all" && governed.attributes.length > 0;
}

function answerOf({ chunk, firstRow, rows, counts }: StagedChunk): ChunkAnswer {
  return { chunk, state: "done", firstRow, rows, done: rows, counts };
}
