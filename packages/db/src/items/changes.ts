import { isDeepStrictEqual } from "node:util";
import {
  type DomainEvent,
  type ItemFacts,
  type ItemInput,
  type ItemPatch,
  itemInput,
} from "@proveniq/contracts";
import type { EventBody } from "../tenant/commit.ts";
import { defined, type ItemRecord } from "./document.ts";

type Owned = ItemRecord["input"];

/** Applies a merge patch: absent stays, null removes, attributes likewise key by key. */
export function patched(input: Owned, patch: ItemPatch): Owned {
  const { attributes, ...fields } = patch;
  const next = merge(input, fields);
  if (attributes === undefined) return next;
  return attributes === null
    ? merge(next, { attributes: null })
    : {
        ...next,
        attributes: merge<Record<string, string | number | boolean>>(next.attributes ?? {}, attributes),
      };
}

function merge<T extends object>(target: T, patch: object): T {
  const kept = Object.entries({ ...target, ...defined(patch) }).filter(([, value]) => value !== null);
  return Object.fromEntries(kept) as T;
}

/** What changed, for the outbox: names of fields, the countable facts on both sides, and their difference. */
export function eventOf(itemId: string, before: Owned | undefined, after: Owned | undefined): EventBody {
  return {
    type: before === undefined ? "item.created" : after === undefined ? "item.deleted" : "item.updated",
    itemId,
    changed: changedFields(before, after),
    before: before === undefined ? null : factsOf(before),
    after: after === undefined ? null : factsOf(after),
    deltas: deltasOf(before, after),
  };
}

/** The same of a thing that was not there, from the names of its fields and its countable facts alone. */
export function createdEvent(itemId: string, changed: EventBody["changed"], after: ItemFacts): EventBody {
  const value = after.insuredValue;
  const insuredMinor =
    value === undefined || value.amountMinor === 0 ? {} : { [value.currency]: value.amountMinor };
  return { type: "item.created", itemId, changed, before: null, after, deltas: { items: 1, insuredMinor } };
}

const fields = itemInput.keyof().options.toSorted();

/** Names of the fields that differ, sorted. */
export function changedFields(
  before: ItemInput | undefined,
  after: ItemInput | undefined,
): (keyof ItemInput)[] {
  if (before === undefined) return fields.filter((name) => after?.[name] !== undefined);
  return fields.filter((name) => !isDeepStrictEqual(before[name], after?.[name]));
}

const namesBySet = new Map<number, string>();

/** The same of something new, as one text; its owner is among them in any case. Of an import's rows most have the same. */
export function namesOfNew(input: ItemInput): string {
  let set = 0;
  for (const [n, name] of fields.entries())
    if (name === "ownerId" || input[name] !== undefined) set |= 1 << n;
  let names = namesBySet.get(set);
  if (names === undefined) {
    names = fields.filter((_, n) => (set & (1 << n)) !== 0).join(",");
    namesBySet.set(set, names);
  }
  return names;
}

/** What the domain counts by. */
export function factsOf<T extends ItemInput>({
  ownerId,
  category,
  condition,
  marketKey,
  insuredValue,
}: T): Pick<T, keyof ItemFacts> {
  return defined({ ownerId, category, condition, marketKey, insuredValue });
}

function deltasOf(before: Owned | undefined, after: Owned | undefined): DomainEvent["deltas"] {
  const insuredMinor: Record<string, number> = {};
  for (const [side, sign] of [
    [before, -1],
    [after, 1],
  ] as const) {
    const value = side?.insuredValue;
    if (value !== undefined) {
      insuredMinor[value.currency] = (insuredMinor[value.currency] ?? 0) + sign * value.amountMinor;
    }
  }
  const items = (after === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
  return { items, insuredMinor: Object.fromEntries(Object.entries(insuredMinor).filter(([, n]) => n !== 0)) };
}
