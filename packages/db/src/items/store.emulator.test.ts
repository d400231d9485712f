import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { readOutbox } from "../outbox.ts";
import { answered, person, respond, ring, testCell } from "../testing/tenants.ts";

let cell: Awaited<ReturnType<typeof testCell>>;
beforeAll(async () => {
  cell = await testCell(inject("firestoreHost"), "db-items", "carrier-a", "carrier-b", "people");
});
afterAll(() => cell.close());

describe("items", () => {
  test("come back as they were put in, with version, times and tag", async () => {
    const { items } = cell.open("carrier-a");
    const input = ring({ attributes: { carat: 0.23, cut: "Ideal", lab: true }, ownerId: "holder-1" });
    const { item, etag } = answered(await items.create(input, { respond }));
    expect(item).toMatchObject({ ...input, version: 1 });
    expect(item.createdAt).toBe(item.updatedAt);
    expect(etag).toMatch(/^"1-[A-Za-z0-9]{8}"$/);
    expect(await items.get(item.id)).toEqual({ item, etag });
  });

  test("of a tenant-wide principal that names no owner are the tenant's own", async () => {
    const { item } = answered(await cell.open("carrier-a").items.create(ring(), { respond }));
    expect(item.ownerId).toBe("carrier-a");
  });

  test("change by merge patch: null removes, attributes key by key", async () => {
    const { items } = cell.open("carrier-a");
    const input = ring({ description: "old", location: "safe", attributes: { carat: 1, cut: "Good" } });
    const { item } = answered(await items.create(input, { respond }));
    const patch = { description: null, title: "Band", attributes: { cut: null, color: "E" } };
    const changed = answered(await items.patch(item.id, patch, { respond })).item;
    expect(changed).toMatchObject({ title: "Band", location: "safe", version: 2, createdAt: item.createdAt });
    expect(changed.attributes).toEqual({ carat: 1, color: "E" });
    expect(changed).not.toHaveProperty("description");
    expect((await items.get(item.id))?.item).toEqual(changed);
  });

  test("never take more attributes, in all, than an item may have", async () => {
    const many = (prefix: string) =>
      Object.fromEntries(Array.from({ length: 30 }, (_, n) => [prefix + n, n]));
    const { items } = cell.open("carrier-a");
    const created = answered(await items.create(ring({ attributes: many("a") }), { respond }));
    await expect(items.patch(created.item.id, { attributes: many("b") }, { respond })).rejects.toMatchObject({
      code: "invalid-request",
      errors: [{ path: "/attributes", message: "must not have more than 50 entries" }],
    });
    expect(await items.get(created.item.id)).toEqual(created);
  });

  test("keep version, tag and outbox when a patch changes nothing", async () => {
    const { items } = cell.open("carrier-a");
    const created = answered(await items.create(ring({ location: "safe" }), { respond }));
    const again = answered(
      await items.patch(created.item.id, { location: "safe", serialNumber: null }, { respond }),
    );
    expect(again).toEqual(created);
    expect(await eventsOf(created.item.id)).toHaveLength(1);
  });

  test("answer a delete with what was deleted, and are gone", async () => {
    const { items } = cell.open("carrier-a");
    const { item } = answered(await items.create(ring(), { respond }));
    expect(answered(await items.delete(item.id, { respond })).item).toEqual(item);
    expect(await items.get(item.id)).toBeUndefined();
    await expect(items.delete(item.id, { respond })).rejects.toMatchObject({ code: "not-found" });
    await expect(items.patch(item.id, { title: "x" }, { respond })).rejects.toMatchObject({
      code: "not-found",
    });
  });

  test("leave one event for each change, with sums before and after", async () => {
    const { items } = cell.open("carrier-a", { epoch: 1 });
    const input = ring({ insuredValue: { amountMinor: 1000, currency: "EUR" } });
    const { item } = answered(await items.create(input, { respond }));
    await items.patch(item.id, { insuredValue: { amountMinor: 700, currency: "USD" } }, { respond });
    await items.delete(item.id, { respond });
    const events = await eventsOf(item.id);
    expect(events.map(({ type, changed, deltas }) => ({ type, changed, deltas }))).toEqual([
      {
        type: "item.created",
        changed: ["category", "insuredValue", "ownerId", "title"],
        deltas: { items: 1, insuredMinor: { EUR: 1000 } },
      },
      {
        type: "item.updated",
        changed: ["insuredValue"],
        deltas: { items: 0, insuredMinor: { EUR: -1000, USD: 700 } },
      },
      {
        type: "item.deleted",
        changed: ["category", "insuredValue", "ownerId", "title"],
        deltas: { items: -1, insuredMinor: { USD: -700 } },
      },
    ]);
    expect(events[0]).toMatchObject({
      tenantId: "carrier-a",
      epoch: 1,
      before: null,
      actor: { kind: "key" },
    });
  });

  test("with an externalId exist once; deleted and recreated they have another tag", async () => {
    const { items } = cell.open("carrier-a");
    const first = answered(await items.create(ring({ externalId: "ACME-1" }), { respond }));
    await expect(items.create(ring({ externalId: "ACME-1" }), { respond })).rejects.toMatchObject({
      code: "already-exists",
    });
    await items.delete(first.item.id, { respond, ifMatch: [first.etag] });
    const second = answered(await items.create(ring({ externalId: "ACME-1" }), { respond }));
    expect(second.item.id).toBe(first.item.id);
    expect(second.etag).not.toBe(first.etag);
    const stale = items.patch(second.item.id, { title: "x" }, { respond, ifMatch: [first.etag] });
    await expect(stale).rejects.toMatchObject({ code: "precondition-failed" });
  });

  test("take any of several tags, or * for: it must exist", async () => {
    const { items } = cell.open("carrier-a");
    const { item, etag } = answered(await items.create(ring(), { respond }));
    await items.patch(item.id, { title: "a" }, { respond, ifMatch: ['"9-nonsense"', etag] });
    await items.patch(item.id, { title: "b" }, { respond, ifMatch: "*" });
    await items.delete(item.id, { respond });
    const gone = items.patch(item.id, { title: "c" }, { respond, ifMatch: "*" });
    await expect(gone).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("a handle reaches nothing outside its binding", () => {
  test("not another tenant's item, though its id is known", async () => {
    const { item } = answered(await cell.open("carrier-a").items.create(ring(), { respond }));
    const other = cell.open("carrier-b").items;
    expect(await other.get(item.id)).toBeUndefined();
    await expect(other.delete(item.id, { respond })).rejects.toMatchObject({ code: "not-found" });
  });

  test.each([
    "../carrier-b",
    "a/b",
    "__x__",
    "",
    ".",
    "x".repeat(2_000),
    "carrier-b/items/abcdefghijklmnopqrst",
  ])("not by the id %j", async (id) => {
    const { items } = cell.open("carrier-a");
    expect(await items.get(id)).toBeUndefined();
    await expect(items.patch(id, { title: "x" }, { respond })).rejects.toMatchObject({ code: "not-found" });
    await expect(items.delete(id, { respond })).rejects.toMatchObject({ code: "not-found" });
  });

  test.each(["a/b", "..", "admin", "A", "__t__"])("not by the tenant id %j", (tenantId) => {
    expect(() => cell.open(tenantId)).toThrow(/reserved|lower-case/);
  });

  test("a person sees and changes only what is theirs", async () => {
    const ann = cell.open("people", person("ann")).items;
    const bob = cell.open("people", person("bob")).items;
    const { item } = answered(await ann.create(ring({ ownerId: "bob" }), { respond }));
    expect(item.ownerId).toBe("ann");
    expect(await bob.get(item.id)).toBeUndefined();
    await expect(bob.patch(item.id, { title: "mine" }, { respond })).rejects.toMatchObject({
      code: "not-found",
    });
    await expect(bob.delete(item.id, { respond })).rejects.toMatchObject({ code: "not-found" });
    expect((await bob.list({ limit: 10, ownerId: "ann" })).items).toEqual([]);
    expect((await ann.list({ limit: 10 })).items.map((s) => s.item.id)).toContain(item.id);
  });

  test("a person's externalId tells them nothing of another's", async () => {
    const staff = cell.open("people").items;
    await staff.create(ring({ externalId: "S-1", ownerId: "ann" }), { respond });
    for (const who of ["ann", "bob"]) {
      const { item } = answered(
        await cell.open("people", person(who)).items.create(ring({ externalId: "S-1" }), { respond }),
      );
      expect(item).toMatchObject({ ownerId: who, externalId: "S-1" });
    }
    expect((await staff.list({ externalId: "S-1", limit: 10 })).items).toHaveLength(3);
  });
});

async function eventsOf(itemId: string) {
  const pages = await readOutbox(cell.firestore);
  return pages
    .flatMap((page) => page.events)
    .filter((event) => event.itemId === itemId)
    .sort((a, b) => a.occurredAt.localeCompare(b.occurredAt));
}
