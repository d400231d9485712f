import {
  type Category,
  category,
  type Portfolio,
  type PublishedValue,
  type ReplicaStatus,
} from "@proveniq/contracts";
import type { PortfolioItem } from "@proveniq/db/tenant";
import { z } from "zod";
import { estimateMinor } from "../valuation/estimate.ts";

// Decimal text: sums outgrow what a JSON number holds exactly.
const amountsSchema = z.record(
  z.string(),
  z.strictObject({ items: z.int(), minor: z.string().regex(/^[0-9]+$/) }),
);
const saved = z.partialRecord(
  category,
  z.strictObject({ items: z.int(), withMarketValue: z.int(), insured: amountsSchema, market: amountsSchema }),
);

interface Amount {
  items: number;
  minor: bigint;
}

interface Holdings {
  items: number;
  withMarketValue: number;
  insured: Map<string, Amount>;
  market: Map<string, Amount>;
}

/** The sums of a book while it is counted: by category, and in it by currency. */
export class PortfolioSums {
  readonly #categories = new Map<Category, Holdings>();

  /** Count an item, with the published value of its key if there is one. */
  add(item: PortfolioItem, value: PublishedValue | undefined): void {
    const held = this.#categories.get(item.category) ?? emptyHoldings();
    this.#categories.set(item.category, held);
    held.items++;
    if (item.insuredValue !== undefined) {
      const { currency, amountMinor } = item.insuredValue;
      grow(held.insured, currency, { items: 1, minor: BigInt(amountMinor) });
    }
    if (value !== undefined) {
      held.withMarketValue++;
      const minor = BigInt(estimateMinor(value, item.condition));
      grow(held.market, value.currency, { items: 1, minor });
    }
  }

  /** The sums as a portfolio: the whole book, and each category that has items. */
  portfolio(asOf: string, replica: ReplicaStatus): Portfolio {
    const whole = emptyHoldings();
    for (const held of this.#categories.values()) {
      whole.items += held.items;
      whole.withMarketValue += held.withMarketValue;
      for (const side of ["insured", "market"] as const) {
        for (const [currency, amount] of held[side]) grow(whole[side], currency, amount);
      }
    }
    const categories = category.options.flatMap((name) => {
      const held = this.#categories.get(name);
      return held === undefined ? [] : [{ category: name, ...shown(held) }];
    });
    return { asOf, replica, ...shown(whole), categories };
  }

  /** Text from which `restore` makes the same sums. */
  save(): string {
    const entries = [...this.#categories].map(([name, held]) => [
      name,
      { ...held, insured: savedAmounts(held.insured), market: savedAmounts(held.market) },
    ]);
    return JSON.stringify(Object.fromEntries(entries));
  }

  static restore(text: string): PortfolioSums {
    const sums = new PortfolioSums();
    for (const [name, held] of Object.entries(saved.parse(JSON.parse(text)))) {
      const restored = {
        ...held,
        insured: restoredAmounts(held.insured),
        market: restoredAmounts(held.market),
      };
      sums.#categories.set(category.parse(name), restored);
    }
    return sums;
  }
}

function emptyHoldings(): Holdings {
  return { items: 0, withMarketValue: 0, insured: new Map(), market: new Map() };
}

function grow(amounts: Map<string, Amount>, currency: string, by: Amount): void {
  const { items, minor } = amounts.get(currency) ?? { items: 0, minor: 0n };
  amounts.set(currency, { items: items + by.items, minor: minor + by.minor });
}

function shown({ items, withMarketValue, insured, market }: Holdings) {
  return {
    items,
    withMarketValue,
    marketShare: items === 0 ? null : withMarketValue / items,
    insured: shownAmounts(insured),
    market: shownAmounts(market),
  };
}

function shownAmounts(amounts: ReadonlyMap<string, Amount>): Portfolio["insured"] {
  return [...amounts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, { items, minor }]) => ({
      currency,
      items,
      amountMinor: minor <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(minor) : null,
    }));
}

function savedAmounts(amounts: ReadonlyMap<string, Amount>): z.infer<typeof amountsSchema> {
  return Object.fromEntries(
    [...amounts].map(([currency, { items, minor }]) => [currency, { items, minor: String(minor) }]),
  );
}

function restoredAmounts(saved: z.infer<typeof amountsSchema>): Map<string, Amount> {
  return new Map(
    Object.entries(saved).map(([currency, { items, minor }]) => [currency, { items, minor: BigInt(minor) }]),
  );
}
