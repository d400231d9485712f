import type { ChunkAnswer } from "@proveniq/contracts";
import type { SeenJob } from "./job.ts";

/** Where progress is shown; a terminal gets one line that changes, anything else a line now and then. */
export interface ProgressOutput {
  isTerminal: boolean;
  write(text: string): void;
}

const terminalEveryMs = 250;
const plainEveryMs = 5_000;
/** Over how long the rate is taken. */
const windowMs = 10_000;

/** Counts what is done and says so. */
export class Progress {
  readonly #output: ProgressOutput | undefined;
  readonly #totalBytes: number;
  readonly #now: () => number;
  readonly #started: number;
  readonly #samples: { at: number; rows: number }[] = [];
  #rows = 0;
  #skipped = 0;
  #refused = 0;
  #bytes = 0;
  #shownAt: number;
  #waiting = { why: "", shownAt: 0 };
  #sentAt: number | undefined;
  #stage = "";

  /** Without an `output` nothing is shown. */
  constructor(output: ProgressOutput | undefined, totalBytes: number, now: () => number = Date.now) {
    this.#output = output;
    this.#totalBytes = totalBytes;
    this.#now = now;
    this.#started = now();
    this.#shownAt = this.#started;
  }

  /** So many bytes of the file have been cut into chunks. */
  read(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Rows that an earlier run has done. */
  skipped(rows: number): void {
    this.#skipped += rows;
  }

  /** A chunk's answer, and the one before it. */
  chunk(before: ChunkAnswer | undefined, now: ChunkAnswer): void {
    this.#rows += now.done - (before?.done ?? 0);
    this.#refused += now.counts.failed - (before?.counts.failed ?? 0);
    this.#show();
  }

  /** A chunk waits. Of many that wait for the same one line is enough. */
  waiting(why: string, seconds: number): void {
    if (seconds < 2) return;
    const now = this.#now();
    if (why === this.#waiting.why && now - this.#waiting.shownAt < plainEveryMs) return;
    this.#waiting = { why, shownAt: now };
    this.#line(`waiting ${Math.round(seconds)} s (${why})`);
  }

  /** All rows are there; what comes is the cell's work. */
  sent(): void {
    this.#sentAt ??= this.#now();
    this.#stageLine("checking every row against the book");
  }

  /** How far the cell is with checking and writing. */
  ending(job: SeenJob): void {
    this.#stageLine(stageOf(job));
  }

  /** Leave the terminal's line. */
  end(): void {
    if (this.#output?.isTerminal === true) this.#output.write("\r\u001b[K");
  }

  get rowsPerSecond(): number {
    const seconds = (this.#now() - this.#started) / 1000;
    return seconds > 0 ? Math.round(this.#rows / seconds) : 0;
  }

  /** How long the rows took to be sent, and all that came after; `sent` was called. */
  get seconds(): { sending: number; ending: number } {
    const sentAt = this.#sentAt ?? this.#now();
    const rounded = (ms: number) => Math.round(ms / 10) / 100;
    return { sending: rounded(sentAt - this.#started), ending: rounded(this.#now() - sentAt) };
  }

  /** One line about now. */
  text(): string {
    const now = this.#now();
    this.#samples.push({ at: now, rows: this.#rows });
    while (this.#samples.length > 2 && now - (this.#samples[0]?.at ?? now) > windowMs) this.#samples.shift();
    const oldest = this.#samples[0] ?? { at: this.#started, rows: 0 };
    const from = oldest.at === now ? { at: this.#started, rows: 0 } : oldest;
    const rate = ((this.#rows - from.rows) * 1000) / Math.max(1, now - from.at);
    const done = this.#rows + this.#skipped;
    const total = this.#bytes === 0 ? 0 : (done * this.#totalBytes) / this.#bytes;
    const left = rate > 0 && total > done ? `, ${duration((total - done) / rate)} left` : "";
    return `${number(done)} rows, ${number(Math.round(rate))} rows/s, ${number(this.#refused)} refused${left}`;
  }

  #show(): void {
    const every = this.#output?.isTerminal === true ? terminalEveryMs : plainEveryMs;
    if (this.#now() - this.#shownAt < every) return;
    this.#shownAt = this.#now();
    this.#line(this.text());
  }

  /** A terminal's line always changes; elsewhere a stage is said once, and numbers now and then. */
  #stageLine(text: string): void {
    const plain = this.#output?.isTerminal !== true;
    const same = this.#stage === text.replaceAll(/[\d,]+/g, "#");
    if (plain && same && this.#now() - this.#shownAt < plainEveryMs) return;
    this.#stage = text.replaceAll(/[\d,]+/g, "#");
    this.#shownAt = this.#now();
    this.#line(text);
  }

  #line(text: string): void {
    if (this.#output === undefined) return;
    this.#output.write(this.#output.isTerminal ? `\r\u001b[K${text}` : `${text}\n`);
  }
}

/** What a cell is at, in a line for people. */
function stageOf({ phase, waitingFor, plan, counts, undo }: SeenJob): string {
  if (undo?.state === "working")
    return `putting back: ${number(undo.restored)} done, ${number(undo.kept)} changed since and kept`;
  if (phase === "waiting")
    return `waiting for ${waitingFor === undefined ? "another import" : `import ${waitingFor}`}, which was completed before`;
  if (phase !== "writing") return "checking every row against the book";
  const done = counts.created + counts.changed + counts.deleted;
  if (plan === undefined) return `writing: ${number(done)} so far`;
  return `writing: ${number(done)} of ${number(plan.created + plan.changed + plan.deleted)}`;
}

export function number(n: number): string {
  return n.toLocaleString("en-US");
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
