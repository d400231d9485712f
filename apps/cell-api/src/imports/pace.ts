import { rampRate } from "./ramp.ts";

export interface PaceOptions {
  /** Documents a second of the whole cell. */
  writesPerSecond: number;
  /** Instances that share it. */
  instances: number;
  now?: () => number;
}

interface Waiter {
  writes: number;
  settle: (granted: boolean) => void;
}

interface Lane {
  balance: number;
  filledAt: number;
  /** Since when the tenant's collection is being written to. */
  rampStartedAt: number;
  waiting: Waiter[];
}

/** Unused budget is kept for this long, in seconds. */
const burstSeconds = 1;
/** Tenants that are remembered. */
const mostLanes = 1_000;

/**
 * How fast this instance writes imports: its share of the cell's budget, and of each tenant's ramp. Who waits is
 * served in turn by tenant, so that one large import does not hold up a small one. A page is let in as soon as there is
 * any budget, and what it uses beyond that is paid back before the next.
 */
export class ImportPace {
  readonly #share: number;
  readonly #instances: number;
  readonly #now: () => number;
  readonly #lanes = new Map<string, Lane>();
  #balance: number;
  #filledAt: number;
  #timer: NodeJS.Timeout | undefined;

  constructor({ writesPerSecond, instances, now = Date.now }: PaceOptions) {
    this.#share = writesPerSecond / instances;
    this.#instances = instances;
    this.#now = now;
    this.#balance = this.#share * burstSeconds;
    this.#filledAt = now();
  }

  /** This instance's documents a second for a tenant, now. */
  rateOf(tenantId: string): number {
    const started = this.#lanes.get(tenantId)?.rampStartedAt ?? this.#now();
    return Math.min(this.#share, rampRate(this.#now() - started) / this.#instances);
  }

  /** Tell since when a tenant's collection is being written to. */
  ramp(tenantId: string, startedAt: number): void {
    this.#lane(tenantId).rampStartedAt = startedAt;
  }

  /** Wait for leave to write so many documents; false when it does not come within `withinMs`. */
  async take(tenantId: string, writes: number, withinMs: number): Promise<boolean> {
    const lane = this.#lane(tenantId);
    return new Promise((resolve) => {
      const late = setTimeout(() => waiter.settle(false), Math.max(0, withinMs));
      const waiter: Waiter = {
        writes,
        settle: (granted) => {
          clearTimeout(late);
          const at = lane.waiting.indexOf(waiter);
          if (at >= 0) lane.waiting.splice(at, 1);
          resolve(granted);
        },
      };
      lane.waiting.push(waiter);
      this.#serve();
    });
  }

  /** Give back what was taken and not written. */
  giveBack(tenantId: string, writes: number): void {
    this.#balance += writes;
    this.#lane(tenantId).balance += writes;
    this.#serve();
  }

  /** Seconds until a tenant that took all it could is let in again; for Retry-After. */
  secondsUntilFree(tenantId: string): number {
    this.#fill();
    const lane = this.#lane(tenantId);
    const debt = Math.max(-this.#balance / this.#share, -lane.balance / this.rateOf(tenantId), 0);
    return Math.max(1, Math.ceil(debt));
  }

  #serve(): void {
    this.#fill();
    let served = true;
    while (served && this.#balance > 0) {
      served = false;
      for (const [tenantId, lane] of this.#lanes) {
        const [first] = lane.waiting;
        if (first === undefined || lane.balance <= 0 || this.#balance <= 0) continue;
        this.#balance -= first.writes;
        lane.balance -= first.writes;
        // To the end of the line.
        this.#lanes.delete(tenantId);
        this.#lanes.set(tenantId, lane);
        first.settle(true);
        served = true;
        break;
      }
    }
    this.#wake();
  }

  /** Come back when the next waiter can be served. */
  #wake(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    let soonest = Number.POSITIVE_INFINITY;
    for (const [tenantId, lane] of this.#lanes) {
      if (lane.waiting.length === 0) continue;
      const own = -lane.balance / this.rateOf(tenantId);
      soonest = Math.min(soonest, Math.max(own, -this.#balance / this.#share));
    }
    if (soonest === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#serve(), Math.max(5, Math.ceil(soonest * 1000) + 1));
  }

  #fill(): void {
    const now = this.#now();
    const all = this.#share * burstSeconds;
    this.#balance = Math.min(all, this.#balance + ((now - this.#filledAt) / 1000) * this.#share);
    this.#filledAt = now;
    for (const [tenantId, lane] of this.#lanes) {
      const rate = this.rateOf(tenantId);
      const gained = ((now - lane.filledAt) / 1000) * rate;
      lane.balance = Math.min(rate * burstSeconds, lane.balance + gained);
      lane.filledAt = now;
    }
  }

  #lane(tenantId: string): Lane {
    const known = this.#lanes.get(tenantId);
    if (known !== undefined) return known;
    if (this.#lanes.size >= mostLanes) {
      const idle = [...this.#lanes].find(([, lane]) => lane.waiting.length === 0);
      if (idle !== undefined) this.#lanes.delete(idle[0]);
    }
    const now = this.#now();
    const lane: Lane = { balance: 1, filledAt: now, rampStartedAt: now, waiting: [] };
    this.#lanes.set(tenantId, lane);
    return lane;
  }
}

/** What the importer needs of a pace. */
export type Pace = Pick<ImportPace, "ramp" | "take" | "giveBack" | "secondsUntilFree" | "rateOf">;

/** No pace at all: for measuring, and for emulators, which have no hot spots. */
export const unlimitedPace: Pace = {
  ramp: () => undefined,
  take: () => Promise.resolve(true),
  giveBack: () => undefined,
  secondsUntilFree: () => 1,
  rateOf: () => Number.POSITIVE_INFINITY,
};
