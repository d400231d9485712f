import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ArtefactRef,
  type CellDeploys,
  type DeployRecord,
  type Lease,
  ProblemError,
} from "@proveniq/contracts";
import type { DeployBook, Origin } from "@proveniq/db/control";
import { LeaseHeld, LeaseLost } from "@proveniq/db/lease";
import type { DeployEvent, DeployStep } from "./types.ts";

/** How long a deploy keeps its cell after its last sign of life, and how often it gives one, in milliseconds. */
const leaseMs = 12_000;
const beatMs = 3_000;

export const newLease = ({ who, from }: Origin): Lease => ({
  token: randomUUID(),
  who,
  from,
  until: until(),
});
const until = () => new Date(Date.now() + leaseMs).toISOString();
export const prolonged = (lease: Lease): Lease => ({ ...lease, until: until() });

/** A process that was killed within a transaction holds its locks for about a minute more; nobody else can write until then. */
const lockedMs = 90_000;

/** A clock of this process alone: one that somebody sets does not make it jump. In milliseconds. */
const ownClock = () => performance.now();

/**
 * Try until whoever holds the lease has let go of it or has given no sign of life for as long as a lease lasts, and until the locks of
 * a process that was killed are gone. `attempt` is told whose lease counts as dead then: no time that another machine wrote down is
 * believed. One that lives carries its lease on, and then `LeaseHeld` is thrown at once. `waiting` is told why, once each.
 */
export async function onceFree<T>(
  attempt: (dead: Lease | undefined) => Promise<T>,
  waiting: (why: string) => void,
  {
    now = ownClock,
    pause = (ms) => sleep(ms),
  }: { now?: () => number; pause?: (ms: number) => Promise<unknown> } = {},
): Promise<T> {
  const deadline = now() + lockedMs;
  let seen: { lease: Lease; since: number } | undefined;
  let locked = false;
  for (;;) {
    try {
      const silent = seen !== undefined && now() - seen.since >= leaseMs;
      return await attempt(silent ? seen?.lease : undefined);
    } catch (error) {
      if (error instanceof ProblemError && error.code === "database-unavailable" && now() < deadline) {
        if (!locked)
          waiting("the database does not let us write: a killed process may hold its locks for a minute");
        locked = true;
        continue;
      }
      if (!(error instanceof LeaseHeld)) throw error;
      const { lease } = error;
      if (seen !== undefined && (seen.lease.token !== lease.token || seen.lease.until !== lease.until))
        throw error;
      if (seen === undefined) waiting(`${error.message}; waiting whether that process still lives`);
      seen ??= { lease, since: now() };
      const left = Math.max(0, seen.since + leaseMs - now());
      await pause(Math.min(left + 100, beatMs + 1_000));
    }
  }
}

/** A deploy that is under way: it holds its cell's lease, and writes down what happens. */
export class DeploySession {
  readonly record: DeployRecord;
  /** What was known of the cell when it began. */
  readonly before: CellDeploys;
  /** Aborted when another process has taken over: nothing may be touched any more. */
  readonly lost: AbortSignal;
  readonly #book: DeployBook;
  readonly #report: (event: DeployEvent) => void;
  #lease: Lease;
  readonly #beat: NodeJS.Timeout;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    book: DeployBook,
    record: DeployRecord,
    before: CellDeploys,
    lease: Lease,
    report: (event: DeployEvent) => void,
  ) {
    this.#book = book;
    this.record = record;
    this.before = before;
    this.#lease = lease;
    this.#report = report;
    const lost = new AbortController();
    this.lost = lost.signal;
    this.#beat = setInterval(() => {
      this.#write([]).catch((error: unknown) => {
        if (error instanceof LeaseLost) lost.abort(error);
      });
    }, beatMs);
    this.#beat.unref();
  }

  /** Waits for a process that died to be given up. Throws `LeaseHeld` while another deploys this cell. */
  static async begin(
    book: DeployBook,
    what: Pick<DeployRecord, "cellId" | "target" | "artefact"> & { rolloutId?: string | undefined },
    origin: Origin,
    report: (event: DeployEvent) => void,
  ): Promise<DeploySession> {
    const { rolloutId, ...rest } = what;
    const now = new Date();
    const record: DeployRecord = {
      ...rest,
      ...origin,
      id: randomUUID(),
      startedAt: now.toISOString(),
      outcome: "running",
      timeline: [],
      ...(rolloutId === undefined ? {} : { rolloutId }),
    };
    let lease = newLease(origin);
    const before = await onceFree(
      (dead) => {
        lease = prolonged(lease);
        return book.begin(record, lease, new Date(), dead);
      },
      (text) => report({ at: new Date().toISOString(), cell: what.cellId, step: "begin", text }),
    );
    return new DeploySession(book, record, before, lease, report);
  }

  /** Tell people, and the record. A record that cannot be written stops no deploy: the cell matters more. */
  async say(step: DeployStep, text: string, change: Pick<DeployRecord, "previous"> = {}): Promise<void> {
    const at = new Date().toISOString();
    this.#report({ at, cell: this.record.cellId, step, text });
    await this.#write([{ at, step, text: text.slice(0, 2_000) }], change).catch((error: unknown) => {
      if (error instanceof LeaseLost) throw error;
      this.#report({ at, cell: this.record.cellId, step, text: "this could not be recorded; going on" });
    });
  }

  /** Write down how it ended, and give the cell back. */
  async end(
    outcome: DeployRecord["outcome"],
    how: { reason?: string; serving?: ArtefactRef; back?: boolean },
  ): Promise<void> {
    clearInterval(this.#beat);
    await this.#writing.catch(() => undefined);
    await this.#book.finish(this.record, this.#lease, { outcome, at: new Date(), ...how });
  }

  /** Let go without a word, as a process that dies does. Nothing is written any more after that. */
  async leave(): Promise<void> {
    clearInterval(this.#beat);
    await this.#writing.catch(() => undefined);
  }

  /** One after the other: each of them carries the lease on. */
  #write(entries: DeployRecord["timeline"], change: Pick<DeployRecord, "previous"> = {}): Promise<void> {
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(async () => {
        this.#lease = prolonged(this.#lease);
        await this.#book.note(this.record, this.#lease, entries, change);
      });
    return this.#writing;
  }
}
