import { compare, type Value } from "./values.ts";

/** Writes a second that one range of keys bears at an end that grows: https://firebase.google.com/docs/firestore/solutions/shard-timestamp */
export const mostAtGrowingEnd = 500;

/** A range of keys whose end grows faster than Firestore can split it. */
export interface HotRange {
  /** The collection, and the index when it is not of the documents themselves. */
  space: string;
  /** What all keys in the range begin with. */
  prefix: readonly (number | string)[];
  end: "low" | "high";
  /** Writes a second that landed there through two seconds on end, at their most. */
  writesPerSecond: number;
}

const windowMs = 1_000;
const forgetAfter = 60;

interface End {
  atEnd: number;
  before: number;
  peak: number;
}

interface Range {
  space: string;
  prefix: readonly (number | string)[];
  window: number;
  /** What was lowest and highest before this window; none in the first. */
  baseline: { low: Value; high: Value } | undefined;
  low: Value;
  high: Value;
  ends: { low: End; high: End };
}

/**
 * Which ranges of keys writes land in. A key lands at a growing end when it lies beyond all that was there when its second began:
 * for random keys that hardly happens, for times always, also when many share one. Ranges are looked at for every prefix of a key,
 * so that `(ownerId, createdAt)` is seen to grow for one owner. A range not written to for a minute is forgotten.
 */
export class KeyRanges {
  readonly #ranges = new Map<string, Range>();
  readonly #hot = new Map<string, HotRange>();
  #swept = 0;

  /** One key was written in a space at this time. */
  touch(space: string, key: readonly Value[], nowMs: number): void {
    const window = Math.floor(nowMs / windowMs);
    this.#sweep(window);
    const prefix: (number | string)[] = [];
    for (const value of key) {
      this.#land(space, prefix, value, window);
      prefix.push(value.key);
    }
  }

  /** All ranges that were hot since the start or `reset`, hottest first. */
  hot(): HotRange[] {
    return [...this.#hot.values()].toSorted((a, b) => b.writesPerSecond - a.writesPerSecond);
  }

  reset(): void {
    this.#ranges.clear();
    this.#hot.clear();
  }

  #land(space: string, prefix: readonly (number | string)[], value: Value, window: number): void {
    const id = `${space} ${JSON.stringify(prefix)}`;
    let range = this.#ranges.get(id);
    if (range === undefined) {
      const none = () => ({ atEnd: 0, before: 0, peak: 0 });
      const ends = { low: none(), high: none() };
      range = { space, prefix: [...prefix], window, baseline: undefined, low: value, high: value, ends };
      this.#ranges.set(id, range);
    }
    if (window > range.window) {
      for (const end of [range.ends.low, range.ends.high]) {
        end.before = window === range.window + 1 ? end.atEnd : 0;
        end.atEnd = 0;
      }
      range.baseline = { low: range.low, high: range.high };
      range.window = window;
    }
    const { baseline, ends } = range;
    if (baseline !== undefined && compare(value, baseline.high) > 0)
      this.#count(id, range, "high", ends.high);
    if (baseline !== undefined && compare(value, baseline.low) < 0) this.#count(id, range, "low", ends.low);
    if (compare(value, range.high) > 0) range.high = value;
    if (compare(value, range.low) < 0) range.low = value;
  }

  #count(id: string, { space, prefix }: Range, end: "low" | "high", seen: End): void {
    seen.atEnd += 1;
    seen.peak = Math.max(seen.peak, Math.min(seen.atEnd, seen.before));
    if (seen.peak <= mostAtGrowingEnd) return;
    this.#hot.set(`${id} ${end}`, { space, prefix, end, writesPerSecond: seen.peak });
  }

  #sweep(window: number): void {
    if (window - this.#swept < forgetAfter) return;
    this.#swept = window;
    for (const [id, range] of this.#ranges) if (window - range.window > forgetAfter) this.#ranges.delete(id);
  }
}
