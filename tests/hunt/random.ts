/** Chance that can be had again: all that it gives follows from the seed and the schedule's number. */
export class Random {
  #state: number;

  constructor(seed: number, schedule: number) {
    // Two rounds of mixing, so that neighbouring schedules have nothing in common.
    this.#state = mix(mix(seed >>> 0) ^ (schedule >>> 0)) | 0;
  }

  /** From 0 to below 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** True in `share` of the cases (0 to 1). */
  chance(share: number): boolean {
    return this.next() < share;
  }

  /** One of some. Throws for none. */
  pick<T>(all: readonly T[]): T {
    const one = all[Math.floor(this.next() * all.length)];
    if (one === undefined) throw new Error("nothing to pick from");
    return one;
  }

  /** One of some, by weight. Throws for none. */
  weighted<T>(all: readonly (readonly [weight: number, value: T])[]): T {
    let at = this.next() * all.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of all) {
      at -= weight;
      if (at < 0) return value;
    }
    return this.pick(all)[1];
  }
}

function mix(value: number): number {
  let h = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16) ^ 0x9e3779b9) >>> 0;
}
