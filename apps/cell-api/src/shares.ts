import { randomUUID } from "node:crypto";
import { firestoreShares, SharedBudget } from "@proveniq/db/lease";
import type { Logger } from "./log.ts";

export interface SharesOptions {
  /** The cell's default database: it keeps who holds which part. */
  open: Parameters<typeof firestoreShares>[0];
  logger: Logger;
}

/** This process's parts of the budgets that its cell's live instances share. What is not used takes no part in it. */
export class Shares {
  readonly #options: SharesOptions;
  readonly #holder = randomUUID();
  readonly #budgets: SharedBudget[] = [];

  constructor(options: SharesOptions) {
    this.#options = options;
  }

  /** What may be used of a budget now, from 0 to 1: nothing until this process holds a part of it. */
  strict(name: string): () => number {
    const budget = this.#budget(name);
    return () => budget.share();
  }

  /**
   * The same, and never less than an equal part among the most instances that there can be: who has just started, and who
   * cannot reach the database, must not refuse everybody. All together they can be over by the sum of those parts, which
   * is at most the budget once more, for as long as they hold none.
   */
  atLeast(name: string, mostInstances: number): () => number {
    if (mostInstances === 1) return () => 1;
    const budget = this.#budget(name);
    return () => Math.max(budget.share(), 1 / mostInstances);
  }

  /** Give all back, when nothing uses them any more. */
  async close(): Promise<void> {
    await Promise.all(this.#budgets.map((budget) => budget.close()));
  }

  #budget(name: string): SharedBudget {
    const { open, logger } = this.#options;
    const onTrouble = (error: unknown) =>
      logger.warn({ budget: name, error: String(error) }, "this instance's share cannot be renewed");
    const budget = new SharedBudget({ store: firestoreShares(open, name), holder: this.#holder, onTrouble });
    this.#budgets.push(budget);
    return budget;
  }
}
