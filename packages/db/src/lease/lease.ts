import type { Lease } from "@proveniq/contracts";

/** Somebody else works on it; the message says who. */
export class LeaseHeld extends Error {
  readonly lease: Lease;
  constructor(what: string, lease: Lease) {
    super(`${what} is being worked on by ${lease.who} from ${lease.from}`);
    this.name = "LeaseHeld";
    this.lease = lease;
  }
}

/** Another process holds the lease now: what this one was about to write was not written. */
export class LeaseLost extends Error {
  constructor(what: string) {
    super(`another process has taken over ${what}`);
    this.name = "LeaseLost";
  }
}

/** A lease as the state that it guards keeps it. `until`: RFC 3339, by the database's clock, which all holders share. */
export interface StoredLease {
  holder: string;
  until: string;
}

/** One process's side of the lease on `what`, kept in the state that it guards and renewed with each change of that state. */
export class OwnLease {
  readonly #what: string;
  readonly #holder: string;
  readonly ms: number;

  /** `holder`: unique to this process. `ms`: how long after its last sign of life another may take over. */
  constructor(what: string, holder: string, ms: number) {
    this.#what = what;
    this.#holder = holder;
    this.ms = ms;
  }

  holds(stored: StoredLease | null): boolean {
    return stored?.holder === this.#holder;
  }

  /** Whether it may be taken at `now` (ms): nobody holds it, this process does, or its time is over. */
  mayTake(stored: StoredLease | null, now: number): boolean {
    return stored === null || this.holds(stored) || Date.parse(stored.until) <= now;
  }

  /** Throws `LeaseLost` when this process does not hold it. */
  check(stored: StoredLease | null): void {
    if (!this.holds(stored)) throw this.lost();
  }

  /** Held from `now` (ms) on. */
  from(now: number): StoredLease {
    return { holder: this.#holder, until: new Date(now + this.ms).toISOString() };
  }

  lost(): LeaseLost {
    return new LeaseLost(this.#what);
  }
}
