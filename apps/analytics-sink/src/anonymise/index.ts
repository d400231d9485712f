import type { KeyObject } from "node:crypto";
import { category } from "@proveniq/contracts";
import { bucketOf, type EventRow, type MarkRow } from "@proveniq/contracts/warehouse";
import { countedDay } from "./days.ts";
import type { Change, Facts } from "./page.ts";
import { pseudonym } from "./pseudonym.ts";

export { countedDay, dayOf, keyDays, keyExpired, lateAfterDays } from "./days.ts";
export { type Change, readPage, UnreadablePage } from "./page.ts";

/** Grows with every change of what the same events become: a delivery is repeated by the version that planned it. */
export const anonymiserVersion = 1;

export interface AnonymiseContext {
  cell: string;
  region: MarkRow["region"];
  /** The tenant of the cell's own consumers. It is the public, not a customer whose book could be read. */
  consumers?: string | undefined;
  /** UTC day on which the delivery was planned. */
  planned: string;
  /** The cell's key of each day that `daysOf` names. */
  keys: ReadonlyMap<string, KeyObject>;
}

export interface AnonymousRows {
  events: EventRow[];
  /** One for each person and group, whether or not one was sent before. */
  actors: MarkRow[];
  tenants: MarkRow[];
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

/**
 * The rows of some changes: pure, so that a repeated delivery is the same to the byte. Rows are ordered by their
 * pseudonyms, which tells nothing of the order of the changes or of which mark came with which event. Marks are made
 * once per person, or tenant, and group. Throws when a day's key is missing.
 */
export function anonymise(changes: readonly Change[], context: AnonymiseContext): AnonymousRows {
  const { cell, region, consumers, planned, keys } = context;
  const events: EventRow[] = [];
  const actors = new Map<string, MarkRow>();
  const tenants = new Map<string, MarkRow>();

  for (const change of changes) {
    const day = countedDay(change.occurredAt, planned);
    const key = keys.get(day);
    if (key === undefined) throw new Error(`no key for ${day}`);
    const owner = (change.after ?? change.before)?.ownerId ?? "";
    const { tenantId } = change;

    const mark = (group: Group) => {
      const place = `${day}\0${groupKey(group)}\0${tenantId}`;
      const common = { day, cell, region, ...group } as const;
      const actor = `${place}\0${owner}`;
      if (!actors.has(actor)) {
        const name = pseudonym(key, "actor", groupKey(group), tenantId, owner);
        actors.set(actor, { ...common, kind: "actor", mark: name, weight: 1 });
      }
      if (tenantId === consumers) return;
      const known = tenants.get(place);
      if (known !== undefined) known.weight++;
      else {
        const name = pseudonym(key, "tenant", groupKey(group), tenantId);
        tenants.set(place, { ...common, kind: "tenant", mark: name, weight: 1 });
      }
    };

    for (const [n, leg] of legs(change).entries()) {
      events.push({
        row_id: pseudonym(key, "row", change.id, String(n)),
        day,
        cell,
        region,
        type: types.get(change.type) ?? "other",
        channel: change.via === "api" || change.via === "import" ? change.via : "other",
        ...leg.group,
        events: n === 0 ? 1 : 0,
        items_delta: leg.items,
        market_delta: leg.market,
      });
      mark(leg.group);
    }
  }
  const byName =
    <T>(name: (row: T) => string) =>
    (a: T, b: T) =>
      name(a) < name(b) ? -1 : 1;
  return {
    events: events.sort(byName((e) => e.row_id)),
    actors: [...actors.values()].sort(byName((m) => m.mark)),
    tenants: [...tenants.values()].sort(byName((m) => m.mark)),
  };
}
