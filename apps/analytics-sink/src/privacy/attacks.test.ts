import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import type { EventRow, PersonRow } from "@proveniq/contracts/warehouse";
import { expect, test } from "vitest";
import { anonymise, type Change, dayOf } from "../anonymise/index.ts";
import { pseudonym } from "../anonymise/pseudonym.ts";
import { SeenMarks } from "../delivery/seen-marks.ts";

const cells = ["consumer", "enterprise-a", "eu"] as const;
const days = Array.from({ length: 10 }, (_, n) => dayOf(new Date(Date.UTC(2026, 10, 1 + n))));
const categories = [
  "jewellery",
  "watch",
  "art",
  "antique",
  "collectible",
  "instrument",
  "electronics",
  "vehicle",
];

/** Numbers below `below`, the same in every run (mulberry32). */
let seed = 20_261_123;
function random(below: number): number {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
}
const letters = (n: number) => n.toString(36).padStart(20, "0");

interface Known extends Change {
  cell: (typeof cells)[number];
}

const ownerOf = (c: Known) => `${c.cell}/${c.tenantId}/${c.after?.ownerId}`;

/** A population whose members each have their habits: a cell, a tenant, a few categories, a range of prices. */
function population(people: number, perPerson: () => number): Known[] {
  let serial = 0;
  return Array.from({ length: people }, (_, person) => {
    const cell = cells[random(3)] ?? "eu";
    const tenantId = ["consumers", "carrier-a", "atelier-nord"][random(3)] ?? "";
    const taste = [random(8), random(8)];
    const level = 2 + random(4);
    return Array.from(
      { length: perPerson() },
      (): Known => ({
        cell,
        id: `${letters(serial++)}.0`,
        type: "item.created",
        tenantId,
        occurredAt: `${days[random(days.length)]}T12:00:00.000Z`,
        via: "api",
        before: null,
        after: {
          ownerId: `person-${person}`,
          category: categories[taste[random(2)] ?? 0] ?? "art",
          insuredValue: { amountMinor: 10 ** level * (1 + random(9)), currency: "EUR" },
        },
      }),
    );
  }).flat();
}

/** What one delivery left in the warehouse. */
interface Delivered {
  events: EventRow[];
  people: PersonRow[];
}

/**
 * What the warehouse then holds, in the worst case: each change came alone, in order, so that it is known which mark came
 * with which row. `remember`: a mark is sent with a person's first change of the day only, as the sink does.
 */
function warehouseOf(changes: readonly Known[], remember = true): Delivered[] {
  const keys = new Map<string, Map<string, KeyObject>>();
  for (const cell of cells)
    keys.set(cell, new Map(days.map((day) => [day, createSecretKey(randomBytes(32))])));
  const seen = new SeenMarks(2 * 1024 * 1024, days.length);
  return changes.map((change) => {
    const planned = change.occurredAt.slice(0, 10);
    const context = {
      cell: change.cell,
      region: "europe-west1",
      planned,
      keys: keys.get(change.cell) ?? new Map(),
      counts: () => true,
    } as const;
    const { events, people } = anonymise([change], context);
    const sent = remember ? people.filter((m) => !seen.has(m.day, m.mark)) : people;
    for (const { day, mark } of sent) seen.add(day, mark);
    return { events, people: sent };
  });
}

test("a dictionary of every id, without the key, matches nothing; nothing matches across cells or days", () => {
  const changes = population(300, () => 1 + random(6));
  const held = warehouseOf(changes);
  const people = held.flatMap((d) => d.people);
  const names = new Set([
    ...held.flatMap((d) => d.events.map((e) => e.row_id)),
    ...people.flatMap((m) => [m.mark, m.tenant]),
  ]);
  const keys = [randomBytes(32), Buffer.alloc(32), Buffer.from("proveniq".padEnd(32))].map((k) =>
    createSecretKey(k),
  );
  const matches = changes.flatMap((change, n) => {
    const owner = change.after?.ownerId ?? "";
    const { category = "", price_bucket = "", currency = "" } = held[n]?.events[0] ?? {};
    const group = `${category}\0${price_bucket}\0${currency}`;
    const guesses = [
      ["row", change.id, "0"],
      ["person", change.tenantId, owner],
      ["tenant", group, change.tenantId],
      [change.id],
      [change.tenantId],
      [owner],
    ];
    return keys.flatMap((key) => guesses.filter((parts) => names.has(pseudonym(key, ...parts))));
  });
  expect(matches).toEqual([]);

  const places = new Map<string, Set<string>>();
  for (const { day, cell, mark, ...row } of people) {
    places.set(mark, (places.get(mark) ?? new Set()).add(`${day}/${cell}`));
    if (row.tenant !== "public") {
      const of = groupOf({ day, cell, ...row });
      places.set(row.tenant, (places.get(row.tenant) ?? new Set()).add(of));
    }
  }
  expect([...places.values()].filter((at) => at.size > 1)).toEqual([]);
});

type Grouped = Pick<EventRow, "day" | "cell" | "category" | "price_bucket" | "currency">;
const groupOf = (r: Grouped) => [r.day, r.cell, r.category, r.price_bucket, r.currency].join("/");

/**
 * The attacker knows four changes of each person, to the very row, and holds all that the warehouse holds in the order it came.
 * A person is linked when that leads to a fifth: by a mark that came with a known change and with another one too. That a group
 * has one mark in all says nothing any more: who counts elsewhere that day, or not at all, has none in it.
 */
function linked(changes: readonly Known[], held: readonly Delivered[], known = 4): number {
  const timesSent = new Map<string, number>();
  for (const { mark } of held.flatMap((d) => d.people)) timesSent.set(mark, (timesSent.get(mark) ?? 0) + 1);
  const byPerson = Map.groupBy([...changes.keys()], (n) => ownerOf(changes[n] as Known));
  const everybody = [...byPerson.values()].filter((own) => own.length > known);
  const found = everybody.filter((own) => {
    const mine = own.slice(0, known).flatMap((n) => held[n] ?? []);
    const marks = mine.flatMap((d) => d.people);
    return marks.some((m) => (timesSent.get(m.mark) ?? 0) > marks.filter((o) => o.mark === m.mark).length);
  });
  return found.length / everybody.length;
}

test("four known changes lead to a fifth for fewer than 2 % of people", () => {
  const changes = population(1_200, () => 5 + random(8));
  expect(linked(changes, warehouseOf(changes))).toBeLessThan(0.02);
  // The attack itself works: it finds many as soon as marks come with every change.
  expect(linked(changes, warehouseOf(changes, false))).toBeGreaterThan(0.1);
}, 30_000);
