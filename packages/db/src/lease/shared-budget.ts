import { type Renewed, release, renew, type ShareBook, whole } from "./shares.ts";
import { type Clocks, systemClocks, Term } from "./term.ts";

/** Where the holdings are kept: one small document. */
export interface ShareStore {
  /**
   * Read, change and write, all or nothing of it, at the database's time (ms). `change` is pure and may be called again.
   * Rejects when nobody can tell whether it was written.
   */
  change<T extends { book: ShareBook }>(change: (before: ShareBook, now: number) => T): Promise<T>;
}

export interface SharedBudgetOptions {
  store: ShareStore;
  /** Of this process alone: a name that no process had before. */
  holder: string;
  clocks?: Clocks;
  /** Told when renewing begins to fail, not each time it does. */
  onTrouble?: (error: unknown) => void;
}

type Held = Pick<Renewed, "parts" | "leaseMs" | "renewMs"> & { term: Term };

/** Until the next attempt after one that failed. */
const retryMs = 1_000;

/**
 * This process's part of a budget that all live instances of a service share. Alone it has all of it; a newcomer has
 * nothing until the others have come down. It is renewed when somebody asks for it and it is time, so who does nothing
 * costs nothing; and it is worthless once its lease has run out by this process's own clocks.
 */
export class SharedBudget {
  readonly #store: ShareStore;
  readonly #holder: string;
  readonly #clocks: Clocks;
  readonly #onTrouble: (error: unknown) => void;
  #held: Held | undefined;
  #renewing: Promise<void> | undefined;
  #failed: Term | undefined;
  #closed = false;

  constructor({ store, holder, clocks = systemClocks, onTrouble = () => undefined }: SharedBudgetOptions) {
    this.#store = store;
    this.#holder = holder;
    this.#clocks = clocks;
    this.#onTrouble = onTrouble;
  }

  /** What may be used now, from 0 to 1 (the whole). Never waits; renews in the background. */
  share(): number {
    if (this.#isDue()) void this.renewed();
    return this.#parts() / whole;
  }

  /** Renew now, or wait for the renewal under way. Never rejects: what is held simply runs out. */
  renewed(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** Give it back. Call it when nothing uses the budget any more; what cannot be given back runs out by itself. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#renewing;
    if (this.#parts() === 0) return;
    this.#held = undefined;
    await this.#store
      .change((before) => ({ book: release(before, this.#holder) }))
      .catch((error: unknown) => this.#onTrouble(error));
  }

  #parts(): number {
    const held = this.#held;
    return held?.term.lasts(held.leaseMs) === true ? held.parts : 0;
  }

  #isDue(): boolean {
    if (this.#closed || this.#renewing !== undefined) return false;
    if (this.#failed !== undefined && this.#failed.age < retryMs) return false;
    return this.#held === undefined || this.#held.term.age >= this.#held.renewMs;
  }

  async #renew(): Promise<void> {
    try {
      await this.#ask();
      // It had to come down, and has: what that frees is told at once.
      if (this.#held?.renewMs === 0) await this.#ask();
      this.#failed = undefined;
    } catch (error) {
      if (this.#failed === undefined) this.#onTrouble(error);
      this.#failed = new Term(this.#clocks);
    }
  }

  async #ask(): Promise<void> {
    const term = new Term(this.#clocks);
    // What is held now is in use until the answer is here: that is what others must reckon with.
    const inEffect = this.#parts();
    const holder = this.#holder;
    const { parts, leaseMs, renewMs } = await this.#store.change((before, now) =>
      renew(before, { holder, inEffect, now }),
    );
    this.#held = { parts, leaseMs, renewMs, term };
  }
}
