import type { Socket } from "node:net";

/**
 * Carries bytes from one socket to the other in order, with back-pressure, each chunk `delayMs()` after it came. A half-close is
 * carried over too.
 */
export class Pump {
  readonly #to: Socket;
  readonly #from: Socket;
  readonly #delayMs: () => number;
  #lastDue = 0;
  #stalled = false;
  #waitsForDrain = false;

  constructor(from: Socket, to: Socket, delayMs: () => number) {
    this.#from = from;
    this.#to = to;
    this.#delayMs = delayMs;
    from.on("end", () => this.#later(() => to.end()));
    to.on("drain", () => {
      this.#waitsForDrain = false;
      this.#flow();
    });
  }

  /** Hand on a chunk that `from` gave. */
  send(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#later(() => {
      if (this.#to.destroyed) return;
      if (!this.#to.write(chunk)) {
        this.#waitsForDrain = true;
        this.#flow();
      }
    });
  }

  /** While stalled, nothing more is read and nothing is lost. */
  stall(on: boolean): void {
    this.#stalled = on;
    this.#flow();
  }

  #flow(): void {
    if (this.#stalled || this.#waitsForDrain) this.#from.pause();
    else this.#from.resume();
  }

  /** Run now, or after the delay but never before what came earlier. */
  #later(action: () => void): void {
    const now = performance.now();
    const due = Math.max(now + this.#delayMs(), this.#lastDue);
    this.#lastDue = due;
    if (due <= now) action();
    else setTimeout(action, due - now);
  }
}
