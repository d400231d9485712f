import { z } from "zod";
import { condition, item } from "./item.ts";
import { marketSequence, quotation } from "./market.ts";
import { money } from "./money.ts";

/** The rule by which an estimate follows from market value and condition; docs/market-values.md has it in words. */
export const valuationRule = z.enum(["condition-spread-1"]);

/** What an item is worth today. */
export const valuation = z
  .strictObject({
    market: z.strictObject({ ...quotation, sequence: marketSequence.min(1) }),
    estimate: money.describe("The market value adjusted to the item's condition"),
    condition: condition
      .nullable()
      .describe("The condition it was adjusted to. Null: unknown, so the median"),
    rule: valuationRule,
  })
  .meta({ id: "Valuation" });
export type Valuation = z.infer<typeof valuation>;

/** An item as it is read. Writes answer with the item alone. */
export const valuedItem = z
  .strictObject({
    ...item.shape,
    valuation: valuation.optional().describe("Absent when no value is published for the item's market key"),
  })
  .meta({ id: "ValuedItem" });
export type ValuedItem = z.infer<typeof valuedItem>;

/** One page of a list. `nextCursor` is absent on the last page. */
export const valuedItemPage = z
  .strictObject({ items: z.array(valuedItem), nextCursor: z.string().optional() })
  .meta({ id: "ValuedItemPage" });
export type ValuedItemPage = z.infer<typeof valuedItemPage>;
