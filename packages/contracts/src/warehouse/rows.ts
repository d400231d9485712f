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

/** The tenant of a person of the cell's own consumers: the public, not a customer whose book could be read. */
export const publicTenant = "public";

/**
 * What one person did on one day, bounded: the person's first change of the day, in its one group. Nothing else of what is
 * published is about people. The mark is the unit of privacy; it has nothing in common with that of another day or cell.
 * Only those who have been the tenant's for some time have one.
 */
export const personRow = z.strictObject({
  day: day.describe("UTC day of the change"),
  ...place,
  ...group,
  mark: pseudonym.describe(
    "A person of a tenant on this day, keyed by cell and day; the key dies after 7 days",
  ),
  tenant: z
    .string()
    .regex(/^(?:[A-Za-z0-9_-]{22}|public)$/)
    .describe(
      "Keyed by cell, day and group: whose people are how many; `public` for the cell's own consumers",
    ),
  items_in: flag.describe("1 when the change brought an item into the group"),
  items_out: flag.describe("1 when it took one out"),
  by_import: flag.describe("1 when it came by an import"),
  market_delta: change.describe("Change of the number of items in the group that name a market value"),
});
export type PersonRow = z.infer<typeof personRow>;

/** What sinks of the release before sent in the place of `personRow`. */
export const formerMarkRow = z.strictObject({
  day: day.describe("UTC day of the change"),
  ...place,
  ...group,
  kind: z.enum(["actor", "tenant"]).describe("Counted people or tenants"),
  mark: pseudonym.describe("Keyed by cell, day and group; the key died after 7 days"),
  weight: count.describe("tenant: rows of it in the group; actor: always 1"),
});

/** One delivery: what a cell says it sent. Reconciled against what arrived. */
export const planRow = z.strictObject({
  plan_id: pseudonym.describe("Random name of the delivery"),
  day: day.describe("UTC day on which it was planned"),
  ...place,
  events: count.describe("Domain events in it"),
  event_rows: count.describe("Rows it added to `events`"),
  mark_rows: count.describe("Rows it added to `people`"),
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

/**
 * A group of one day that crossed into the global view, written once. Each figure is a sum over people, each counted with the
 * first change of the day, plus noise: it can be a little below zero.
 */
export const flowRow = z.strictObject({
  day: day.describe("UTC day"),
  region: place.region,
  ...group,
  actors: z.int().describe("People who changed something"),
  by_import: z.int().describe("Of these, by an import"),
  items_in: z.int().describe("People who brought an item into the group"),
  items_out: z.int().describe("People who took one out of it"),
  market_net: z.int().describe("Change of the number of these items that name a market value"),
  error: count.describe("95 of 100 of these figures are no further than this from the true sum"),
});
export type FlowRow = z.infer<typeof flowRow>;

/** A day whose budget of privacy is spent: the noise of a day is drawn once, and what is published of it stays. */
export const releaseRow = z.strictObject({
  day: day.describe("UTC day"),
  epsilon_thousandths: count.describe("Epsilon of the day for each person, in thousandths"),
  delta_billionths: count.describe("Delta of the day, in billionths"),
  released_at: z.iso.datetime().describe("When the noise was drawn"),
});
export type ReleaseRow = z.infer<typeof releaseRow>;

/** The last sign of life of each cell. */
export const freshnessRow = z.strictObject({
  cell: place.cell,
  region: place.region,
  seen_at: z.iso.datetime().describe("Last sign of life"),
  lag_minutes: count.describe("Age of the oldest event that waited then"),
});
export type FreshnessRow = z.infer<typeof freshnessRow>;
