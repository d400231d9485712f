import type { Portfolio, PortfolioPending } from "@proveniq/contracts";
import type { TenantDb } from "@proveniq/db/tenant";
import type { Logger } from "../log.ts";
import type { MarketValues } from "../valuation/valued.ts";
import { CountedElsewhere, countBook, countItems } from "./counter.ts";

export interface PortfoliosOptions {
  market: MarketValues;
  logger: Logger;
  /** Books of up to so many items are counted while the caller waits. */
  smallBook?: number;
  /** How old the portfolio of a large book may be before a request has it counted again. */
  refreshMs?: number;
  saveMs?: number;
  /** Large books that this process counts at once. */
  atOnce?: number;
  now?: () => number;
}

export type PortfolioAnswer = { portfolio: Portfolio } | { pending: PortfolioPending };

const staleMs = 60 * 60_000;

/** Portfolios of this cell: small books at once, large ones counted in the background and kept. */
export class Portfolios {
  readonly #options: Required<PortfoliosOptions>;
  readonly #counting = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();

  constructor(options: PortfoliosOptions) {
    this.#options = {
      smallBook: 1_000,
      refreshMs: 10 * 60_000,
      saveMs: 5_000,
      atOnce: 2,
      now: Date.now,
      ...options,
    };
  }

  /** What the handle's book holds and is worth. Rejects with `ProblemError("database-unavailable")`. */
  async of(db: TenantDb): Promise<PortfolioAnswer> {
    const { market, smallBook, refreshMs, now } = this.#options;
    const kept = await db.portfolio.read();
    if (kept === undefined) {
      const asOf = new Date(now()).toISOString();
      const items = await db.portfolio.first(smallBook + 1);
      if (items.length <= smallBook) return { portfolio: await countItems(market, items, asOf) };
      this.#count(db);
      return { pending: { startedAt: asOf, itemsCounted: 0 } };
    }
    const { result, scan } = kept;
    if (result === undefined || now() - Date.parse(result.asOf) > refreshMs) this.#count(db);
    if (result !== undefined) return { portfolio: result };
    const startedAt = scan?.startedAt ?? new Date(now()).toISOString();
    return { pending: { startedAt, itemsCounted: scan?.counted ?? 0 } };
  }

  /** Stop counting; what was counted is saved for the next process. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#counting.values());
  }

  /** Count in the background, unless this process does so already or has enough to do: a later request will find the time. */
  #count(db: TenantDb): void {
    const { market, logger, smallBook, saveMs, atOnce } = this.#options;
    const { tenantId, ownerId = "" } = db.binding;
    const book = JSON.stringify([tenantId, ownerId]);
    if (this.#counting.has(book) || this.#counting.size >= atOnce || this.#stop.signal.aborted) return;
    const started = performance.now();
    const { signal } = this.#stop;
    const counting = countBook(db.portfolio, { market, smallBook, saveMs, staleMs, signal })
      .then(() => logger.info({ ms: Math.round(performance.now() - started) }, "a large book was counted"))
      .catch((error: unknown) => {
        if (error instanceof CountedElsewhere) return;
        logger.warn(
          { error: String(error) },
          "counting a large book failed; a later request goes on with it",
        );
      })
      .finally(() => this.#counting.delete(book));
    this.#counting.set(book, counting);
  }
}
