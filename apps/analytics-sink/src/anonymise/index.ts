import type { KeyObject } from "node:crypto";
import { category } from "@proveniq/contracts";
import { bucketOf, type EventRow, type PersonRow, publicTenant } from "@proveniq/contracts/warehouse";
import { countedDay } from "./days.ts";
import type { Change, Facts } from "./page.ts";
import { pseudonym } from "./pseudonym.ts";

export { countedDay, dayOf, daysBetween, keyDays, keyExpired, lateAfterDays } from "./days.ts";
export { type Change, readPage, UnreadablePage } from "./page.ts";

/** Grows with every change of what the same events become: a delivery is repeated by the version that planned it. */
export const anonymiserVersion = 2;

export interface AnonymiseContext {
  cell: string;
  region: PersonRow["region"];
  /** The tenant of the cell's own consumers. It is the public, not a customer whose book could be read. */
  consumers?: string | undefined;
  /** UTC day on which the delivery was planned. */
  planned: string;
  /** The cell's key of each day that `daysOf` names. */
  keys: ReadonlyMap<string, KeyObject>;
  /** Whether a person has been the tenant's for long enough, on this day, to be counted. */
  counts: (person: Person, day: string) => boolean;
}

/** Somebody's things, as one tenant knows that person. */
export interface Person {
  tenantId: string;
  ownerId: string;
}

export interface AnonymousRows {
  events: EventRow[];
  /** One for each person and day that counts, whether or not one was sent before. */
  people: PersonRow[];
}

type Group = Pick<EventRow, "category" | "price_bucket" | "currency">;

/** The days whose keys are needed for these changes. */
export function daysOf(changes: readonly Change[], planned: string): string[] {
  return [...new Set(changes.map((c) => countedDay(c.occurredAt, planned)))].sort();
}

const types = new Map<string, EventRow["type"]>([
  ["item.created", "created"],
  ["item.updated", "updated"],
  ["item.deleted", "deleted"],
]);

function groupOf(facts: Facts): Group {
  const known = category.safeParse(facts.category);
  const { bucket, currency } = bucketOf(facts.insuredValue);
  return { category: known.success ? known.data : "other", price_bucket: bucket, currency };
}

const groupKey = (g: Group): string => `${g.category}\0${g.price_bucket}\0${g.currency}`;

/** What a change does to the groups it touches: one leg, or two when it took the item from one group to another. */
function legs({ before, after }: Change): { group: Group; items: number; market: number }[] {
  const with_ = (f: Facts | null) => (f?.marketKey === undefined ? 0 : 1);
  const from = before === null ? undefined : groupOf(before);
  const to = after === null ? undefined : groupOf(after);
  if (from !== undefined && to !== undefined && groupKey(from) === groupKey(to)) {
    return [{ group: to, items: 0, market: with_(after) - with_(before) }];
  }
  return [
    ...(to === undefined ? [] : [{ group: to, items: 1, market: with_(after) }]),
    ...(from === undefined ? [] : [{ group: from, items: -1, market: with_(before) === 1 ? -1 : 0 }]),
  ];
}

/** Whose change it is. */
export const personOf = ({ tenantId, after, before }: Change): Person => ({
  tenantId,
  ownerId: (after ?? before)?.ownerId ?? "",
});

/**
 * The rows of some changes: pure, so that a repeated delivery is the same to the byte. Rows are ordered by their
 * pseudonyms, which tells nothing of the order of the changes. A person counts once a day, with the change whose row comes
 * first by its pseudonym: one by chance, and the same however often it is made. Throws when a day's key is missing.
 */
export function anonymise(changes: readonly Change[], context: AnonymiseContext): AnonymousRows {
  const { cell, region, consumers, planned, keys, counts } = context;
  const events: EventRow[] = [];
  const people = new Map<string, { first: string; row: PersonRow }>();

  for (const change of changes) {
    const day = countedDay(change.occurredAt, planned);
    const key = keys.get(day);
    if (key === undefined) throw new Error(`no key for ${day}`);
    const person = personOf(change);
    const { tenantId, ownerId } = person;
    const mark = counts(person, day) ? pseudonym(key, "person", tenantId, ownerId) : undefined;

    for (const [n, leg] of legs(change).entries()) {
      const row_id = pseudonym(key, "row", change.id, String(n));
      const common = { day, cell, region, ...leg.group } as const;
      const channel = change.via === "api" || change.via === "import" ? change.via : "other";
      events.push({
        row_id,
        day,
        cell,
        region,
        type: types.get(change.type) ?? "other",
        channel,
        ...leg.group,
        events: n === 0 ? 1 : 0,
        items_delta: leg.items,
        market_delta: leg.market,
      });
      if (mark === undefined) continue;
      const known = people.get(`${day}\0${mark}`);
      if (known !== undefined && known.first < row_id) continue;
      const row: PersonRow = {
        ...common,
        mark,
        tenant:
          tenantId === consumers ? publicTenant : pseudonym(key, "tenant", groupKey(leg.group), tenantId),
        items_in: leg.items === 1 ? 1 : 0,
        items_out: leg.items === -1 ? 1 : 0,
        by_import: channel === "import" ? 1 : 0,
        market_delta: leg.market,
      };
      people.set(`${day}\0${mark}`, { first: row_id, row });
    }
  }
  const byName =
    <T>(name: (row: T) => string) =>
    (a: T, b: T) =>
      name(a) < name(b) ? -1 : 1;
  return {
    events: events.sort(byName((e) => e.row_id)),
    people: [...people.values()].map((p) => p.row).sort(byName((m) => m.mark)),
  };
}
