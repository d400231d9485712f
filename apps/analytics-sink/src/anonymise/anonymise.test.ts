import { createSecretKey } from "node:crypto";
import { warehouseTable } from "@proveniq/contracts/warehouse";
import { expect, test } from "vitest";
import { digestRows, encodeRows } from "../encode/index.ts";
import {
  type AnonymiseContext,
  anonymise,
  type Change,
  countedDay,
  daysOf,
  readPage,
  UnreadablePage,
} from "./index.ts";

const day = "2026-11-23";
const context: AnonymiseContext = {
  cell: "eu",
  region: "europe-west1",
  consumers: "consumers-eu",
  planned: day,
  keys: new Map([[day, createSecretKey(Buffer.alloc(32, 7))]]),
  counts: () => true,
};
const jewel = {
  ownerId: "anna",
  category: "jewellery",
  insuredValue: { amountMinor: 32_600, currency: "EUR" },
};
const created: Change = {
  id: "aaaaaaaaaaaaaaaaaaaa.0",
  type: "item.created",
  tenantId: "atelier-nord",
  occurredAt: `${day}T10:00:00.000Z`,
  via: "api",
  before: null,
  after: jewel,
};
/** The rows of one change, without what is the same in all of them. */
const strip = (change: Change) =>
  anonymise([change], context).events.map(
    ({ type, channel, category, price_bucket, currency, ...deltas }) => {
      const { events, items_delta, market_delta } = deltas;
      return { type, channel, category, price_bucket, currency, events, items_delta, market_delta };
    },
  );
const eur = { category: "jewellery", price_bucket: "200-500", currency: "EUR" };

test("a creation adds one item to its group", () => {
  expect(strip(created)).toEqual([
    { type: "created", channel: "api", ...eur, events: 1, items_delta: 1, market_delta: 0 },
  ]);
});

test("a deletion takes it out, with its market value", () => {
  const gone = { ...created, type: "item.deleted", before: { ...jewel, marketKey: "ring" }, after: null };
  expect(strip(gone)).toEqual([
    { type: "deleted", channel: "api", ...eur, events: 1, items_delta: -1, market_delta: -1 },
  ]);
});

test("a change inside the group moves nothing; one to another group moves the item, and counts once", () => {
  const same = { ...created, type: "item.updated", before: jewel, after: { ...jewel, marketKey: "ring" } };
  expect(strip(same)).toEqual([
    { type: "updated", channel: "api", ...eur, events: 1, items_delta: 0, market_delta: 1 },
  ]);
  const dearer = { ...same, after: { ...jewel, insuredValue: { amountMinor: 500_000, currency: "EUR" } } };
  const moved = strip(dearer);
  expect(moved).toHaveLength(2);
  expect(moved).toContainEqual(
    expect.objectContaining({ price_bucket: "5k-10k", events: 1, items_delta: 1 }),
  );
  expect(moved).toContainEqual(expect.objectContaining({ ...eur, events: 0, items_delta: -1 }));
});

test("what is not on a closed list becomes other", () => {
  const odd = { ...created, type: "item.teleported", via: "fax", after: { ...jewel, category: "spaceship" } };
  expect(strip(odd)[0]).toMatchObject({ type: "other", channel: "other", category: "other" });
});

test("each person of a tenant counts once a day, with one change, whatever else that person does", () => {
  const second = { ...created, id: "bbbbbbbbbbbbbbbbbbbb.0", after: { ...jewel, category: "watch" } };
  const dearer = {
    ...created,
    id: "cccccccccccccccccccc.0",
    before: jewel,
    after: { ...jewel, category: "art" },
  };
  const bert = { ...created, id: "dddddddddddddddddddd.0", after: { ...jewel, ownerId: "bert" } };
  const elsewhere = { ...created, id: "eeeeeeeeeeeeeeeeeeee.0", tenantId: "nordic-mutual" };
  const { people } = anonymise([created, second, dearer, bert, elsewhere], context);
  expect(people).toHaveLength(3);
  expect(new Set(people.map((p) => p.mark)).size).toBe(3);
  expect(people.every((p) => p.items_in + p.items_out <= 1)).toBe(true);
});

test("a person's row says what became of the group; the cell's own consumers are no tenant", () => {
  const [row] = anonymise([{ ...created, via: "import" }], context).people;
  expect(row).toMatchObject({ ...eur, items_in: 1, items_out: 0, by_import: 1, market_delta: 0 });
  const gone = { ...created, before: { ...jewel, marketKey: "ring" }, after: null };
  expect(anonymise([gone], context).people[0]).toMatchObject({
    items_out: 1,
    by_import: 0,
    market_delta: -1,
  });
  const [own] = anonymise([{ ...created, tenantId: "consumers-eu" }], context).people;
  expect([row?.tenant, own?.tenant]).toEqual([expect.stringMatching(/^[\w-]{22}$/), "public"]);
});

test("who has not been known for long enough does not count, and what happened is still told", () => {
  const { events, people } = anonymise([created], {
    ...context,
    counts: ({ ownerId }) => ownerId !== "anna",
  });
  expect([events.length, people.length]).toEqual([1, 0]);
});

test("pseudonyms of one person or tenant have nothing in common across days, cells and tenants", () => {
  const other: Change = { ...created, after: { ...jewel, category: "watch" } };
  const of = (change: Change, over: Partial<AnonymiseContext> = {}) =>
    anonymise([change], { ...context, ...over }).people;
  const another = { keys: new Map([[day, createSecretKey(Buffer.alloc(32, 8))]]) };
  const rows = [...of(created), ...of(created, another), ...of({ ...created, tenantId: "nordic-mutual" })];
  expect(new Set(rows.flatMap((r) => [r.mark, r.tenant])).size).toBe(6);
  // Within the day the mark is the person's, so that whatever is sent twice counts once; the tenant's is the group's.
  expect(of(other)[0]?.mark).toBe(rows[0]?.mark);
  expect(of(other)[0]?.tenant).not.toBe(rows[0]?.tenant);
});

test("repeated in any order it is the same to the byte", () => {
  const changes = Array.from({ length: 50 }, (_, n) => ({ ...created, id: `${"x".repeat(20)}.${n}` }));
  const digest = (list: Change[]) => {
    const rows = anonymise(list, context);
    return digestRows(
      encodeRows(warehouseTable("raw", "events"), rows.events),
      encodeRows(warehouseTable("raw", "people"), rows.people),
    );
  };
  expect(digest(changes)).toBe(digest(changes.toReversed()));
  expect(digest(changes)).not.toBe(digest(changes.slice(1)));
});

test.each([
  ["2026-11-23T23:59:59.999Z", "2026-11-23"],
  ["2026-11-19T00:00:00.000Z", "2026-11-19"],
  ["2026-11-18T23:59:59.999Z", "2026-11-23"],
  ["2026-11-24T00:10:00.000Z", "2026-11-24"],
  ["2026-12-24T00:00:00.000Z", "2026-11-23"],
])("a change of %s, delivered on 2026-11-23, counts on %s", (at, counted) => {
  expect(countedDay(at, day)).toBe(counted);
});

test("a missing key stops it, rather than another key being used", () => {
  expect(daysOf([created], day)).toEqual([day]);
  expect(() => anonymise([created], { ...context, keys: new Map() })).toThrow(/no key for 2026-11-23/);
});

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
test.each([
  ["no JSON", Buffer.from("{secret")],
  ["broken UTF-8", Buffer.from([0x22, 0xff, 0x22])],
  ["no events", bytes({ events: [] })],
  ["neither before nor after", bytes({ events: [{ ...created, after: null }] })],
  ["a wrong type", bytes({ events: [{ ...created, after: { ...jewel, category: ["secret"] } }] })],
  ["a key of somebody's making", bytes({ events: [{ ...created, after: "secret" }] })],
])("a page with %s is refused without a word of what was in it", (_, page) => {
  const told = (() => {
    try {
      return readPage(page);
    } catch (error) {
      return error;
    }
  })();
  expect(told).toBeInstanceOf(UnreadablePage);
  expect(String(told)).not.toContain("secret");
});
