import { z } from "zod";
import { itemId, ownerId } from "./ids.ts";
import { money } from "./money.ts";
import { printedAlone } from "./printable.ts";

/** What kind of thing it is. Closed: the warehouse counts by it. */
export const category = z
  .enum([
    "jewellery",
    "watch",
    "art",
    "antique",
    "collectible",
    "instrument",
    "electronics",
    "vehicle",
    "wine",
    "fashion",
    "furniture",
    "other",
  ])
  .meta({ id: "Category" });
export type Category = z.infer<typeof category>;

/** How well it is kept, best first. */
export const condition = z.enum(["new", "excellent", "good", "fair", "poor"]).meta({ id: "Condition" });

/** Which market value applies: lower-case words joined by `:`, `.`, `_` or `-`; also a document id. */
export const marketKey = z
  .string()
  .max(120)
  .regex(/^[a-z0-9]+([:._-][a-z0-9]+)*$/, "must be lower-case words joined by : . _ or -")
  .meta({ id: "MarketKey", examples: ["diamond:ideal:e:si2:0.20-0.39"] });

/** The partner's own id of the thing: anything printable without leading or trailing space. */
export const externalId = z
  .string()
  .min(1)
  .max(200)
  .regex(printedAlone, "must be printable, without space at either end")
  .refine((id) => id.isWellFormed(), { error: "must be well-formed text" })
  .meta({ id: "ExternalId", examples: ["ACME-2024-000123"] });

/** A calendar day, YYYY-MM-DD. */
export const day = z.iso.date().meta({ id: "Day", examples: ["2024-05-17"] });

/** Something to read. No U+0000 and no half surrogate pairs: Firestore and JSON would disagree about them. */
const text = (max: number) =>
  z
    .string()
    .min(1, { abort: true })
    .max(max)
    .regex(/\S/, "must not be only spaces")
    .refine((s) => !s.includes("\u0000") && s.isWellFormed(), {
      error: "must be well-formed text without NUL",
    })
    .meta({ pattern: "^\\s*[^\\s\\u0000][^\\u0000]*$" });

// Minus zero is zero: JSON, in which items are kept and shown, has no other.
const attributeValue = z.union([text(500), z.number().overwrite((n) => n + 0), z.boolean()]);

/** Free details of a thing, flat: up to 50, such as {"carat": 0.23, "cut": "Ideal"}. */
export const attributes = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_]{0,39}$/, "must be 1 to 40 letters, digits or _, starting with a letter"),
    attributeValue,
  )
  .refine((a) => Object.keys(a).length <= 50, { error: "must not have more than 50 entries" })
  .meta({ id: "Attributes", maxProperties: 50, examples: [{ carat: 0.23, cut: "Ideal" }] });

/** What a client writes when it registers a thing. Unknown fields are refused. */
export const itemInput = z
  .strictObject({
    title: text(300).describe("What the owner calls it"),
    description: text(5000).optional().describe("Anything worth saying about it"),
    category,
    condition: condition.optional(),
    externalId: externalId.optional().describe("The partner's own id; unique within its book"),
    marketKey: marketKey.optional().describe("Which market value applies to it"),
    insuredValue: money.optional().describe("What it is insured for"),
    purchasePrice: money.optional().describe("What was paid for it"),
    acquiredOn: day.optional().describe("When the owner came by it"),
    serialNumber: text(120).optional(),
    location: text(200).optional().describe("Where it is kept, in the owner's words"),
    attributes: attributes.optional(),
    ownerId: ownerId
      .optional()
      .describe("Whose it is. Partners and staff only: a person's items are always their own"),
  })
  .meta({ id: "ItemInput" });
export type ItemInput = z.infer<typeof itemInput>;

/**
 * A change to an item (RFC 7396 merge patch): a field that is absent stays, `null` removes it. `attributes` is
 * merged the same way, key by key. Identity (`externalId`, `ownerId`) never changes: delete and create instead.
 */
export const itemPatch = z
  .strictObject({
    title: text(300).optional(),
    description: text(5000).nullish(),
    category: category.optional(),
    condition: condition.nullish(),
    marketKey: marketKey.nullish(),
    insuredValue: money.nullish(),
    purchasePrice: money.nullish(),
    acquiredOn: day.nullish(),
    serialNumber: text(120).nullish(),
    location: text(200).nullish(),
    attributes: z
      .record(
        z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,39}$/, "must be 1 to 40 letters, digits or _"),
        attributeValue.nullable(),
      )
      .nullish(),
  })
  .refine((p) => Object.keys(p).length > 0, { error: "must change at least one field" })
  .meta({ id: "ItemPatch", minProperties: 1 });
export type ItemPatch = z.infer<typeof itemPatch>;

/** An item as it is answered. `version` grows by one with each change. */
export const item = z
  .strictObject({
    id: itemId,
    ...itemInput.shape,
    ownerId,
    version: z.int().min(1),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "Item" });
export type Item = z.infer<typeof item>;

/** One page of a list. `nextCursor` is absent on the last page. */
export const itemPage = z
  .strictObject({ items: z.array(item), nextCursor: z.string().optional() })
  .meta({ id: "ItemPage" });
export type ItemPage = z.infer<typeof itemPage>;
