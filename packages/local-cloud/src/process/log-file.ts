import { appendFile, rename, rm, stat } from "node:fs/promises";
import { messageOf } from "@proveniq/contracts";

export interface LogFileOptions {
  /** A larger file becomes `<file>.1`, and the one before that is gone. */
  maxBytes?: number;
  /** After a failure the disk is tried again so much later. */
  retryMs?: number;
  /** Hears, once, that lines are lost, and then that they are written again. */
  note?: (text: string) => void;
}

/** Waiting for a slow disk costs no more memory than this, in characters. */
const maxWaiting = 4_000_000;

/**
 * A log that is written beside the work: a full disk loses lines and nothing else, and is said once. What was lost is counted in the
 * log itself when it goes on.
 */
export class LogFile {
  readonly #file: string;
  readonly #options: Required<LogFileOptions>;
  #waiting: string[] = [];
  #waitingLength = 0;
  #size: number | undefined;
  #lost = 0;
  #failed: { since: string; reason: string; at: number } | undefined;
  #writing: Promise<void> | undefined;

  constructor(file: string, options: LogFileOptions = {}) {
    this.#file = file;
    this.#options = { maxBytes: 32 * 1024 * 1024, retryMs: 2_000, note: () => undefined, ...options };
  }

  /** Since when lines are lost, and why; undefined when they are not. */
  get failure(): { since: string; reason: string } | undefined {
    const { since, reason } = this.#failed ?? {};
    return since === undefined || reason === undefined ? undefined : { since, reason };
  }

  write(text: string): void {
    if (this.#waitingLength > maxWaiting) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(text);
    this.#waitingLength += text.length;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when all that was written before is on the disk, or lost. */
  async end(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    // What comes in one turn is written at once.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const texts = this.#waiting;
      this.#waiting = [];
      this.#waitingLength = 0;
      if (this.#failed !== undefined && Date.now() - this.#failed.at < this.#options.retryMs) {
        this.#lost += texts.length;
        continue;
      }
      await this.#append(texts);
    }
  }

  async #append(texts: readonly string[]): Promise<void> {
    const missing =
      this.#lost === 0
        ? ""
        : `(${this.#lost} lines are missing here: ${this.#failed?.reason ?? "the disk was too slow"})\n`;
    const text = missing + texts.join("");
    try {
      this.#size ??= await stat(this.#file).then(
        ({ size }) => size,
        () => 0,
      );
      if (this.#size > this.#options.maxBytes) {
        await rm(`${this.#file}.1`, { force: true });
        await rename(this.#file, `${this.#file}.1`);
        this.#size = 0;
      }
      await appendFile(this.#file, text);
      this.#size += Buffer.byteLength(text);
      this.#lost = 0;
      if (this.#failed === undefined) return;
      this.#failed = undefined;
      this.#options.note("the log is written again");
    } catch (error) {
      // Part of it may have been written.
      this.#size = undefined;
      this.#lost += texts.length;
      const reason = messageOf(error);
      if (this.#failed === undefined)
        this.#options.note(`the log cannot be written (${reason}); what runs goes on without it`);
      this.#failed = { since: this.#failed?.since ?? new Date().toISOString(), reason, at: Date.now() };
    }
  }
}
