import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { ItemQuery, ItemRepository } from "../tenant/index.ts";
import { answered, person, respond, ring, testCell } from "../testing/tenants.ts";
import { toDocument } from "./document.ts";
import { itemIdFor } from "./ids.ts";

let cell: Awaited<ReturnType<typeof testCell>>;
const made: { id: string; ownerId: string; category: string; marketKey: string | undefined }[] = [];

beforeAll(async () => {
  cell = await testCell(inject("firestoreHost"), "db-lists", "carrier-a");
  const { items } = cell.open("carrier-a");
  for (let n = 0; n < 24; n++) {
    const input = ring({
      title: `Thing ${n}`,
      category: n % 3 === 0 ? "watch" : "jewellery",
      ownerId: n % 2 === 0 ? "ann" : "bob",
      externalId: `T-${n}`,
      ...(n % 4 === 0 ? { marketKey: "gold:18k" } : {}),
    });
    const { item } = answered(await items.create(input, { respond }));
    made.push({ id: item.id, ownerId: item.ownerId, category: item.category, marketKey: item.marketKey });
  }
});
afterAll(() => cell.close());

describe("lists of items", () => {
  test("of one owner are newest first and lose and repeat nothing over pages", async () => {
    const newest = made
      .filter((m) => m.ownerId === "ann")
      .map((m) => m.id)
      .reverse();
    for (const limit of [1, 5, 12, 50]) {
      expect(await walk(cell.open("carrier-a").items, { ownerId: "ann", limit })).toEqual(newest);
      expect(await walk(cell.open("carrier-a", person("ann")).items, { limit })).toEqual(newest);
    }
  });

  test("of the whole book go by id", async () => {
    const byId = made.map((m) => m.id).sort();
    for (const limit of [7, 24, 100])
      expect(await walk(cell.open("carrier-a").items, { limit })).toEqual(byId);
  });

  test.each<Omit<ItemQuery, "limit">>([
    { category: "watch" },
    { marketKey: "gold:18k" },
    { category: "watch", marketKey: "gold:18k" },
    { category: "watch", ownerId: "ann" },
    { category: "watch", marketKey: "gold:18k", ownerId: "ann" },
    { externalId: "T-6" },
    { externalId: "T-6", ownerId: "ann" },
    { externalId: "T-6", ownerId: "bob" },
    { ownerId: "nobody" },
  ])("filter by %o", async (query) => {
    const { externalId, ...fields } = query;
    const wanted = made.filter(
      (m, n) =>
        Object.entries(fields).every(([field, value]) => Reflect.get(m, field) === value) &&
        (externalId === undefined || externalId === `T-${n}`),
    );
    const got = await walk(cell.open("carrier-a").items, { ...query, limit: 2 });
    expect(got.toSorted()).toEqual(wanted.map((m) => m.id).sort());
  });

  test("by externalId find imported items too, and go on from page to page", async () => {
    const { items } = cell.open("carrier-a");
    const own: string[] = [];
    for (const who of ["dora", "emil"]) {
      const books = cell.open("carrier-a", person(who)).items;
      own.push(answered(await books.create(ring({ externalId: "X" }), { respond })).item.id);
    }
    const id = itemIdFor("X", undefined);
    const at = new Date();
    const history = { version: 1, writeId: "w".repeat(20), createdAt: at, updatedAt: at };
    const input = { ...ring({ externalId: "X" }), ownerId: "dora" };
    const imported = toDocument({ input, ...history, imported: { source: "s", job: 1, row: 1 } });
    await cell.firestore.doc(`tenants/carrier-a/items/${id}`).set(imported);
    expect(imported).not.toHaveProperty("externalId");
    for (const limit of [1, 2, 50]) {
      expect(await walk(items, { externalId: "X", limit })).toEqual([...own, id].sort());
      expect(await walk(items, { externalId: "X", ownerId: "dora", limit })).toEqual([id, own[0]]);
      expect(await walk(cell.open("carrier-a", person("dora")).items, { externalId: "X", limit })).toEqual([
        id,
        own[0],
      ]);
      expect(await walk(cell.open("carrier-a", person("emil")).items, { externalId: "X", limit })).toEqual([
        own[1],
      ]);
      expect(await walk(items, { externalId: "X", category: "wine", limit })).toEqual([]);
    }
  });

  test("go on after the last item though it was deleted in between", async () => {
    const { items } = cell.open("carrier-a", person("carl"));
    const ids: string[] = [];
    for (let n = 0; n < 4; n++) ids.unshift(answered(await items.create(ring(), { respond })).item.id);
    const first = await items.list({ limit: 2 });
    await items.delete(ids[1] ?? "", { respond });
    const rest = first.next && (await items.list({ limit: 2, after: first.next }));
    expect(rest?.items.map((s) => s.item.id)).toEqual(ids.slice(2));
    expect(rest?.next).toBeUndefined();
  });
});

async function walk(items: ItemRepository, query: ItemQuery): Promise<string[]> {
  const ids: string[] = [];
  let after: ItemQuery["after"];
  do {
    const page = await items.list({ ...query, ...(after === undefined ? {} : { after }) });
    expect(page.items.length).toBeLessThanOrEqual(query.limit);
    ids.push(...page.items.map((s) => s.item.id));
    after = page.next;
  } while (after !== undefined);
  return ids;
}
