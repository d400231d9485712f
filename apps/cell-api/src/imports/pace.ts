import { rampRate } from "./ramp.ts";

export interface PaceOptions {
  /** Documents a second of the whole cell. */
  writesPerSecond: number;
  /** What this instance may use of it now, from 0 to 1. */
  share: () => number;
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
/** While this instance has no share: what a client is told to wait, and how often it looks itself. */
const noShareSeconds = 5;
const askAgainSeconds = 0.1;
/** Tenants that are remembered. */
const mostLanes = 1_000;

/**
 * How fast this instance writes imports: its share of the cell's budget, and of each tenant's ramp, as it is now. Who waits is
 * served in turn by tenant, so that one large import does not hold up a small one. A page is let in as soon as there is
 * any budget, and what it uses beyond that is paid back before the next.
 */
export class ImportPace {
  readonly #writesPerSecond: number;
  readonly #shareNow: () => number;
  readonly #now: () => number;
  readonly #lanes = new Map<string, Lane>();
  #balance: number;
  #filledAt: number;
  #timer: NodeJS.Timeout | undefined;

  constructor({ writesPerSecond, share, now = Date.now }: PaceOptions) {
    this.#writesPerSecond = writesPerSecond;
    this.#shareNow = share;
    this.#now = now;
    // The first share is learnt by asking for it: nothing is saved up before.
    this.#balance = 1;
    this.#filledAt = now();
  }

  /** This instance's documents a second for a tenant, now; at least 1, also while it has no share. */
  rateOf(tenantId: string): number {
    return Math.max(1, this.#rateOf(tenantId, this.#shareNow()));
  }

  #rateOf(tenantId: string, share: number): number {
    const started = this.#lanes.get(tenantId)?.rampStartedAt ?? this.#now();
    return share * Math.min(this.#writesPerSecond, rampRate(this.#now() - started));
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
    const share = this.#shareNow();
    // A share comes within seconds.
    if (share === 0) return noShareSeconds;
    const debt = Math.max(
      -this.#balance / (this.#writesPerSecond * share),
      -lane.balance / this.#rateOf(tenantId, share),
      0,
    );
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
    const share = this.#shareNow();
    let soonest = Number.POSITIVE_INFINITY;
    for (const [tenantId, lane] of this.#lanes) {
      if (lane.waiting.length === 0) continue;
      const own = -lane.balance / this.#rateOf(tenantId, share);
      const all = -this.#balance / (this.#writesPerSecond * share);
      soonest = share === 0 ? askAgainSeconds : Math.min(soonest, Math.max(own, all));
    }
    if (soonest === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#serve(), Math.max(5, Math.ceil(soonest * 1000) + 1));
  }

  #fill(): void {
    const now = this.#now();
    const share = this.#shareNow();
    const all = this.#writesPerSecond * share;
    // What was saved up is worth no more than the share of now: nothing, once that has run out.
    this.#balance = Math.min(all * burstSeconds, this.#balance + ((now - this.#filledAt) / 1000) * all);
    this.#filledAt = now;
    for (const [tenantId, lane] of this.#lanes) {
      const rate = this.#rateOf(tenantId, share);
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
