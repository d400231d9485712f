/** Clocks of one process. Both are looked at: one may stand still while the machine sleeps, the other may be set. */
export interface Clocks {
  /** Milliseconds that only grow, from any beginning. */
  monotonic: () => number;
  wall: () => number;
}

export const systemClocks: Clocks = { monotonic: () => performance.now(), wall: Date.now };

/** No clock runs so much faster or slower than another's. */
const drift = 0.05;

/**
 * The time for which this process may believe that it holds something, by its own clocks. It begins before the request
 * that took the lease was sent and is a little shorter than the lease, so it has ended here before it ends for anybody else,
 * also when this process was frozen meanwhile.
 */
export class Term {
  readonly #clocks: Clocks;
  readonly #monotonic: number;
  readonly #wall: number;

  /** Begin now: make it before the request is sent. */
  constructor(clocks: Clocks = systemClocks) {
    this.#clocks = clocks;
    this.#monotonic = clocks.monotonic();
    this.#wall = clocks.wall();
  }

  /** Milliseconds since it began, by the clock that says more. */
  get age(): number {
    return Math.max(this.#clocks.monotonic() - this.#monotonic, this.#clocks.wall() - this.#wall);
  }

  /** True while a lease of so many milliseconds, taken by a request that was sent after the beginning, surely lasts. */
  lasts(leaseMs: number): boolean {
    return this.age < leaseMs * (1 - drift);
  }
}
