import { setTimeout as sleep } from "node:timers/promises";

const growthEveryMs = 5 * 60_000;
const growth = 1.5;

export interface PaceOptions {
  /** Documents a second at the start; Firestore wants new collections to begin with at most 500. */
  startRate: number;
  /** Documents a second that it never goes beyond. */
  maxRate: number;
  now?: () => number;
  wait?: (ms: number) => Promise<unknown>;
}

/**
 * Bounds how fast documents are written. What begins with an empty replica goes up by half every five minutes
 * (Firestore's 500/50/5 rule), counted from a start that outlives the process; what follows goes at the full rate.
 */
export class Pace {
  readonly #options: Required<PaceOptions>;
  #freeAt = 0;

  constructor(options: PaceOptions) {
    this.#options = { now: Date.now, wait: (ms) => sleep(ms), ...options };
  }

  /** Documents a second that may be written now. `startedAt`: milliseconds since 1970 of a start from nothing. */
  rate(startedAt?: number): number {
    const { startRate, maxRate, now } = this.#options;
    if (startedAt === undefined) return maxRate;
    const steps = Math.floor(Math.max(0, now() - startedAt) / growthEveryMs);
    return Math.min(maxRate, startRate * growth ** steps);
  }

  /** Resolves when `documents` more may be written. */
  async take(documents: number, startedAt?: number): Promise<void> {
    const { now, wait } = this.#options;
    const start = Math.max(now(), this.#freeAt);
    this.#freeAt = start + (documents / this.rate(startedAt)) * 1_000;
    if (start > now()) await wait(start - now());
  }
}
