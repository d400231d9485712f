import { z } from "zod";
import { cellId } from "../ids.ts";
import { category } from "../item.ts";
import { location } from "../region.ts";
import { priceBucket, warehouseCurrency } from "./buckets.ts";

/**
 * The rows that cells send. These schemas are the one source of the tables in BigQuery, of the encoder's checks
 * and of the data dictionary; every column is closed or a keyed pseudonym, and says what it is.
 */

/** 16 bytes of a keyed hash, base64url. */
const pseudonym = z.string().regex(/^[A-Za-z0-9_-]{22}$/);
const day = z.iso.date();
const flag = z.int().min(0).max(1);
const change = z.int().min(-1).max(1);
const count = z.int().min(0);

const place = {
  cell: cellId.describe("Cell that sent it"),
  region: location.describe("Region of the cell, not of a person"),
};

const group = {
  category: category.describe("What kind of thing; unknown kinds are `other`"),
  price_bucket: priceBucket.describe("Insured value, in steps of about two, of the item's own currency"),
  currency: warehouseCurrency.describe("Currency of the bucket; nothing is converted"),
};

/** One change of one item in one group. Nothing in it leads to a person, a tenant, an item or another row. */
export const eventRow = z.strictObject({
  row_id: pseudonym.describe("The same however often the event is sent; its key dies after 7 days"),
  day: day.describe("UTC day of the change"),
  ...place,
  type: z.enum(["created", "updated", "deleted", "other"]).describe("What happened"),
  channel: z.enum(["api", "import", "other"]).describe("By a request of its own, or as a row of an import"),
  ...group,
  events: flag.describe("1; 0 on the second row of a change that took an item from one group to another"),
  items_delta: change.describe("Change of the number of items in the group"),
  market_delta: change.describe("Change of the number of items in the group that name a market value"),
});
export type EventRow = z.infer<typeof eventRow>;

/**
 * What counts people and tenants, kept apart from what describes events. A mark is made from the day, the cell and
 * the group too, so that marks of one person in two groups, days or cells have nothing in common. It is sent with a
 * person's first change in the group only: later ones cannot be told from those of others.
 */
export const markRow = z.strictObject({
  day: day.describe("UTC day of the change"),
  ...place,
  ...group,
  kind: z.enum(["actor", "tenant"]).describe("Counts people (whose items they are) or tenants"),
  mark: pseudonym.describe("Keyed by cell, day and group; the key dies after 7 days"),
  weight: count.describe("tenant: rows of it in the group; actor: always 1"),
});
export type MarkRow = z.infer<typeof markRow>;

/** One delivery: what a cell says it sent. Reconciled against what arrived. */
export const planRow = z.strictObject({
  plan_id: pseudonym.describe("Random name of the delivery"),
  day: day.describe("UTC day on which it was planned"),
  ...place,
  events: count.describe("Domain events in it"),
  event_rows: count.describe("Rows it added to `events`"),
  mark_rows: count.describe("Rows it added to `marks`"),
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe("SHA-256 of the bytes of those rows"),
  version: z.int().min(1).describe("Version of the anonymiser"),
});
export type PlanRow = z.infer<typeof planRow>;

/** A sign of life, sent every few minutes whether anything happened or not. */
export const heartbeatRow = z.strictObject({
  day: day.describe("UTC day"),
  ...place,
  seen_at: z.iso.datetime().describe("When, to the minute"),
  lag_minutes: count.describe("Age of the oldest event that still waits; 0 when none does"),
});
export type HeartbeatRow = z.infer<typeof heartbeatRow>;

/** A group of one day that crossed into the global view. Everything published is a sum over these. */
export const flowRow = z.strictObject({
  day: day.describe("UTC day on which the group had enough people; holds smaller days before it, too"),
  region: place.region,
  ...group,
  actors: count.describe("People active in the group's largest cell that day, rounded down to tens"),
  events: count.describe("Changes"),
  import_events: count.describe("Of these, by imports"),
  items_in: count.describe("Items that came into the group"),
  items_out: count.describe("Items that left it"),
  market_net: z.int().describe("Change of the number of items that name a market value"),
});
export type FlowRow = z.infer<typeof flowRow>;

/** How busy a cell was, by order of magnitude only. */
export const cellDayRow = z.strictObject({
  day: day.describe("UTC day"),
  cell: place.cell,
  region: place.region,
  events_band: z
    .enum(["withheld", "under 100", "100 to 1k", "1k to 10k", "10k to 100k", "over 100k"])
    .describe("Changes of the day; withheld when too few people, or one tenant, made them"),
});
export type CellDayRow = z.infer<typeof cellDayRow>;

/** The last sign of life of each cell. */
export const freshnessRow = z.strictObject({
  cell: place.cell,
  region: place.region,
  seen_at: z.iso.datetime().describe("Last sign of life"),
  lag_minutes: count.describe("Age of the oldest event that waited then"),
});
export type FreshnessRow = z.infer<typeof freshnessRow>;
