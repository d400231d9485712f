import { setBounded } from "@proveniq/contracts";
export interface MissBudgetOptions {
  /** What each payer earns in a second, and the most that it can have. */
  perSecond: number;
  burst: number;
  /** Payers that are remembered; the one that paid longest ago is forgotten first, and begins with a full purse again. */
  maxPayers?: number;
  now: () => number;
}

interface Purse {
  left: number;
  at: number;
}

/** A budget for each of many payers: what one spends, no other misses. Who has spent nothing takes no memory. */
export class MissBudgets {
  readonly #options: Required<MissBudgetOptions>;
  /** In the order of last payment. */
  readonly #purses = new Map<string, Purse>();

  constructor(options: MissBudgetOptions) {
    this.#options = { maxPayers: 10_000, ...options };
  }

  /** How many payers are remembered now. */
  get size(): number {
    return this.#purses.size;
  }

  /** Take one; false when the payer has less than that. */
  take(payer: string): boolean {
    const left = this.#left(payer);
    if (left < 1) return false;
    this.#set(payer, left - 1);
    return true;
  }

  /** Undo a `take`. */
  giveBack(payer: string): void {
    const left = this.#left(payer) + 1;
    if (left >= this.#options.burst) this.#purses.delete(payer);
    else this.#set(payer, left);
  }

  #left(payer: string): number {
    const { burst, perSecond, now } = this.#options;
    const purse = this.#purses.get(payer);
    if (purse === undefined) return burst;
    // A clock that was set back earns nothing, and takes nothing.
    const earned = (Math.max(0, now() - purse.at) / 1000) * perSecond;
    return Math.min(burst, purse.left + earned);
  }

  #set(payer: string, left: number): void {
    const { maxPayers, now } = this.#options;
    setBounded(this.#purses, payer, { left, at: now() }, maxPayers);
  }
}
