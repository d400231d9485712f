import { z } from "zod";
import { category } from "./item.ts";
import { replicaStatus } from "./market.ts";
import { currency } from "./money.ts";

/** A sum of many amounts; it can grow beyond what JSON numbers hold exactly. */
const sum = z.strictObject({
  currency,
  items: z.int().min(1).describe("How many items are in the sum"),
  amountMinor: z
    .int()
    .min(0)
    .nullable()
    .describe("Minor units. Null: beyond 2^53 - 1, which no number here can state exactly"),
});

const holdings = {
  items: z.int().min(0),
  withMarketValue: z.int().min(0).describe("Items whose key has a published value"),
  marketShare: z.number().min(0).max(1).nullable().describe("withMarketValue / items. Null: no items"),
  insured: z.array(sum).describe("Insured values, by their currency"),
  market: z.array(sum).describe("Estimates (market value adjusted to condition), by their currency"),
};

/** GET /v1/portfolio: what a book holds and what it is worth. Amounts of different currencies are never added. */
export const portfolio = z
  .strictObject({
    asOf: z.iso.datetime().describe("When the count began; a change made later may be missing"),
    replica: replicaStatus.describe("The market values it was counted with"),
    ...holdings,
    categories: z.array(z.strictObject({ category, ...holdings })).describe("Those that have items"),
  })
  .meta({ id: "Portfolio" });
export type Portfolio = z.infer<typeof portfolio>;

/** 202 of GET /v1/portfolio: the book is large and is being counted; ask again after Retry-After. */
export const portfolioPending = z
  .strictObject({ startedAt: z.iso.datetime(), itemsCounted: z.int().min(0) })
  .meta({ id: "PortfolioPending" });
export type PortfolioPending = z.infer<typeof portfolioPending>;
