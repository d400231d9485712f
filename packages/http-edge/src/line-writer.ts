import { write, writeSync } from "node:fs";

const maxBehind = 4 * 1024 * 1024;
/** So much is written at once, without waiting for more. */
const batch = 64 * 1024;
/** After so long a pipe that was full is tried again. */
const againMs = 20;

/**
 * Lines to a file descriptor, in batches and without ever blocking the event loop: a log reader that has stopped must
 * not stop the process. Each write costs the loop about 60 µs however little it holds, and whatever request arrives meanwhile
 * waits: so they are few. When it is 4 MiB behind, lines are dropped and the next one says how many.
 */
export class LineWriter {
  readonly #fd: number;
  readonly #flushMs: number;
  #waiting = "";
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing = false;

  constructor(fd: number, flushMs = 250) {
    this.#fd = fd;
    this.#flushMs = flushMs;
  }

  /** @param line JSON, without a line end. */
  line(line: string): void {
    if (this.#waiting.length > maxBehind) {
      this.#dropped += 1;
      return;
    }
    this.#waiting += `${line}\n`;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#writing || this.#waiting === "") return;
    if (this.#waiting.length >= batch) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), this.#flushMs);
  }

  /** Write what is left, now. For the end of the process. */
  flushSync(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#take();
    try {
      if (text !== "") writeSync(this.#fd, text);
    } catch {
      // Nobody reads the log any more: there is nobody to tell either.
    }
  }

  #take(): string {
    let text = this.#waiting;
    this.#waiting = "";
    if (this.#dropped > 0)
      text += `{"severity":"WARNING","message":"log lines dropped","count":${this.#dropped}}\n`;
    this.#dropped = 0;
    return text;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = this.#take();
    if (text === "") return;
    this.#writing = true;
    this.#write(Buffer.from(text));
  }

  #write(bytes: Buffer): void {
    write(this.#fd, bytes, (error, written) => {
      if (error === null && written < bytes.length) return this.#write(bytes.subarray(written));
      if (error?.code === "EAGAIN") {
        setTimeout(() => this.#write(bytes), Math.min(this.#flushMs, againMs));
        return;
      }
      this.#writing = false;
      this.#schedule();
    });
  }
}
