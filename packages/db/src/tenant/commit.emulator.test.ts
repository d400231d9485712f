import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { ClaimReader, establishTenant, setClaim } from "../claims.ts";
import { readOutbox } from "../outbox.ts";
import { addTestTenant, answered, person, respond, ring, testCell } from "../testing/tenants.ts";

let cell: Awaited<ReturnType<typeof testCell>>;
let tenant = "";
let made = 0;
beforeAll(async () => {
  cell = await testCell(inject("firestoreHost"), "db-commit");
});
beforeEach(async () => {
  tenant = await newTenant();
});
afterAll(() => cell.close());

async function newTenant(): Promise<string> {
  const id = `carrier-${++made}`;
  await addTestTenant(cell.pool, id);
  return id;
}

const key = (value: string, digest = "same") => ({ route: "POST /v1/items", key: value, digest });

describe("idempotency", () => {
  test("a replay is the stored answer, though the item has changed or gone", async () => {
    const { items } = cell.open(tenant);
    const first = await items.create(ring(), { respond, idempotency: key("k-1") });
    await items.delete(answered(first).item.id, { respond });
    const second = await items.create(ring(), { respond, idempotency: key("k-1") });
    expect(second).toEqual({ response: first.response, replayed: true });
    expect(await totals()).toEqual({ items: 0, events: 2 });
  });

  test("the same key with another request is refused", async () => {
    const { items } = cell.open(tenant);
    await items.create(ring(), { respond, idempotency: key("k-1") });
    const other = items.create(ring({ title: "Other" }), { respond, idempotency: key("k-1", "other") });
    await expect(other).rejects.toMatchObject({ code: "idempotency-conflict" });
  });

  test("keys belong to a principal and a route", async () => {
    const people = [person("ann"), person("bob"), {}].map((who) => cell.open(tenant, who).items);
    for (const items of people) {
      for (const route of ["POST /v1/items", "POST /v1/others"]) {
        const result = await items.create(ring(), { respond, idempotency: { ...key("k-1"), route } });
        expect(result.replayed).toBe(false);
      }
    }
    expect(await totals()).toEqual({ items: 6, events: 6 });
  });

  test("a record past its 24 hours counts as absent, deleted or not", async () => {
    const { items } = cell.open(tenant);
    await items.create(ring(), { respond, idempotency: key("k-1") });
    const { docs } = await cell.firestore.collection(`tenants/${tenant}/idempotency`).get();
    await docs[0]?.ref.update({ expiresAt: new Date(Date.now() - 1_000) });
    const again = await items.create(ring(), { respond, idempotency: key("k-1", "other") });
    expect(again.replayed).toBe(false);
    expect(await totals()).toEqual({ items: 2, events: 2 });
  });

  test("a refused request leaves nothing, so its key can be used again", async () => {
    const { items } = cell.open(tenant);
    await items.create(ring({ externalId: "A" }), { respond });
    const options = { respond, idempotency: key("k-1") };
    await expect(items.create(ring({ externalId: "A" }), options)).rejects.toMatchObject({
      code: "already-exists",
    });
    expect((await items.create(ring({ externalId: "B" }), options)).replayed).toBe(false);
  });
});

// At the same time, each with a tenant of its own: the emulator lets those who contend wait for seconds.
describe.concurrent("many writers", () => {
  test("with one key make one item, one event, one answer", async () => {
    const tenant = await newTenant();
    const options = { respond, idempotency: key("k-1") };
    const results = await Promise.all(
      Array.from({ length: 32 }, () => cell.open(tenant).items.create(ring(), options)),
    );
    expect(new Set(results.map((r) => JSON.stringify(r.response))).size).toBe(1);
    expect(results.filter((r) => !r.replayed)).toHaveLength(1);
    expect(await totals(tenant)).toEqual({ items: 1, events: 1 });
  });

  test("of different items do not get in each other's way", async () => {
    const tenant = await newTenant();
    const { items } = cell.open(tenant);
    await Promise.all(
      Array.from({ length: 32 }, (_, n) => items.create(ring({ title: `R ${n}` }), { respond })),
    );
    expect(await totals(tenant)).toEqual({ items: 32, events: 32 });
  });

  test("of one externalId: one wins, the others are told", async () => {
    const tenant = await newTenant();
    const { items } = cell.open(tenant);
    const codes = await outcomes(
      Array.from({ length: 16 }, () => items.create(ring({ externalId: "A" }), { respond })),
    );
    expect(codes).toEqual({ done: 1, "already-exists": 15 });
    expect(await totals(tenant)).toEqual({ items: 1, events: 1 });
  });

  test("with one If-Match: one wins, the others are told", async () => {
    const tenant = await newTenant();
    const { items } = cell.open(tenant);
    const { item, etag } = answered(await items.create(ring(), { respond }));
    const codes = await outcomes(
      Array.from({ length: 16 }, (_, n) =>
        items.patch(item.id, { title: `T ${n}` }, { respond, ifMatch: [etag] }),
      ),
    );
    expect(codes).toEqual({ done: 1, "precondition-failed": 15 });
    expect((await items.get(item.id))?.item.version).toBe(2);
    expect(await totals(tenant)).toEqual({ items: 1, events: 2 });
  });

  test("of one item without If-Match lose no update", async () => {
    const tenant = await newTenant();
    const { items } = cell.open(tenant);
    const { item } = answered(await items.create(ring(), { respond }));
    const names = Array.from({ length: 8 }, (_, n) => `field${n}`);
    const codes = await outcomes(
      names.map((name) => items.patch(item.id, { attributes: { [name]: true } }, { respond })),
    );
    expect(codes).toEqual({ done: 8 });
    const after = await items.get(item.id);
    expect(Object.keys(after?.item.attributes ?? {}).sort()).toEqual(names);
    expect(after?.item.version).toBe(9);
    expect(await totals(tenant)).toEqual({ items: 1, events: 9 });
  });
});

describe("the claim", () => {
  const past = () => new Date(Date.now() - 60_000).toISOString();
  const soon = () => new Date(Date.now() + 60_000).toISOString();

  test.each([
    ["moving", {}, "tenant-paused"],
    ["fenced", { fence: { token: "t", deadline: soon() } }, "tenant-paused"],
    ["suspended", {}, "tenant-suspended"],
    ["moved", { successor: { cellId: "eu", epoch: 2 } }, "misdirected-request"],
  ] as const)("in state %s refuses writes", async (state, more, code) => {
    const { items } = cell.open(tenant);
    const { item } = answered(await items.create(ring(), { respond }));
    await setClaim(cell.firestore, tenant, (c) => ({ ...c, state, ...more }));
    for (const write of [
      () => items.create(ring(), { respond }),
      () => items.patch(item.id, { title: "x" }, { respond }),
      () => items.delete(item.id, { respond }),
    ]) {
      await expect(write()).rejects.toMatchObject({ code });
    }
    expect(await totals()).toEqual({ items: 1, events: 1 });
  });

  test("names the successor, and says when to come back", async () => {
    const { items } = cell.open(tenant);
    await setClaim(cell.firestore, tenant, (c) => ({
      ...c,
      state: "fenced",
      fence: { token: "t", deadline: soon() },
    }));
    await expect(items.create(ring(), { respond })).rejects.toMatchObject({
      headers: { "retry-after": "1" },
    });
    await setClaim(cell.firestore, tenant, (c) => ({
      ...c,
      state: "moved",
      successor: { cellId: "eu", epoch: 2 },
    }));
    await expect(items.create(ring(), { respond })).rejects.toMatchObject({
      headers: { "x-proveniq-successor": "eu;2" },
    });
  });

  test("whose fence has run out reads as active", async () => {
    await setClaim(cell.firestore, tenant, (c) => ({
      ...c,
      state: "fenced",
      fence: { token: "t", deadline: past() },
    }));
    await cell.open(tenant).items.create(ring(), { respond });
    expect(await totals()).toEqual({ items: 1, events: 1 });
  });

  test("of another epoch, or none at all, is not ours to write under", async () => {
    for (const epoch of [2, 7]) {
      const write = cell.open(tenant, { epoch }).items.create(ring(), { respond });
      await expect(write).rejects.toMatchObject({ code: "misdirected-request" });
    }
    const stranger = cell.open("nobody-here").items.create(ring(), { respond });
    await expect(stranger).rejects.toMatchObject({ code: "misdirected-request" });
  });

  test("flipped under 16 writers: what was acknowledged is there, and nothing is written after", async () => {
    const { items } = cell.open(tenant);
    let stop = false;
    let acknowledged = 0;
    const refused: string[] = [];
    const writers = Array.from({ length: 16 }, async () => {
      while (!stop) {
        try {
          await items.create(ring(), { respond });
          acknowledged++;
        } catch (error) {
          refused.push(codeOf(error));
          stop = true;
        }
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    await setClaim(cell.firestore, tenant, (c) => ({ ...c, state: "suspended" }));
    const atFlip = await countItems();
    await Promise.all(writers);
    expect(new Set(refused)).toEqual(new Set(["tenant-suspended"]));
    expect(acknowledged).toBe(atFlip);
    expect(await totals()).toEqual({ items: atFlip, events: atFlip });
  });
});

describe("ClaimReader", () => {
  const reader = (more: object = {}) =>
    new ClaimReader({ pool: cell.pool, defaultDatabase: "(default)", ...more });

  test("finds the tenant's database through the locator", async () => {
    const other = {
      tenantId: "nordic-mutual",
      databaseId: "second",
      defaultDatabase: "(default)",
      epoch: 1,
      copies: 2,
    };
    await establishTenant(cell.pool, other);
    await establishTenant(cell.pool, other);
    expect(await reader().read("nordic-mutual")).toEqual({
      databaseId: "second",
      claim: { tenantId: "nordic-mutual", state: "active", epoch: 1, copies: 2 },
    });
    await expect(establishTenant(cell.pool, { ...other, databaseId: "(default)" })).rejects.toThrow(
      "another database",
    );
    await expect(establishTenant(cell.pool, { ...other, epoch: 2 })).rejects.toThrow("already has a claim");
  });

  test("believes an answer for its time, then looks again", async () => {
    let now = 1_000;
    const claims = reader({ now: () => now, ttlMs: 5_000 });
    expect((await claims.read(tenant))?.claim.state).toBe("active");
    await setClaim(cell.firestore, tenant, (c) => ({ ...c, state: "suspended" }));
    now += 4_999;
    expect((await claims.read(tenant))?.claim.state).toBe("active");
    now += 1;
    expect((await claims.read(tenant))?.claim.state).toBe("suspended");
  });

  test("remembers that a tenant is unknown, but not for long, and can be told to forget", async () => {
    let now = 1_000;
    const claims = reader({ now: () => now });
    expect(await claims.read("newcomer")).toBeUndefined();
    await addTestTenant(cell.pool, "newcomer");
    expect(await claims.read("newcomer")).toBeUndefined();
    now += 5_000;
    expect((await claims.read("newcomer"))?.claim.epoch).toBe(1);
    await setClaim(cell.firestore, "newcomer", (c) => ({ ...c, state: "suspended" }));
    claims.forget("newcomer");
    expect((await claims.read("newcomer"))?.claim.state).toBe("suspended");
  });

  test("reads once for many who ask together, and never for an impossible id", async () => {
    const asked: string[] = [];
    const pool = Object.create(cell.pool, {
      open: { value: (id: string) => (asked.push(id), cell.pool.open(id)) },
    }) as typeof cell.pool;
    const claims = reader({ pool });
    await Promise.all(Array.from({ length: 50 }, () => claims.read(tenant)));
    expect(asked).toHaveLength(2);
    for (const id of ["../x", "a/b", "admin", ""]) expect(await claims.read(id)).toBeUndefined();
    expect(asked).toHaveLength(2);
  });

  test("a flood of made-up tenants cannot push out the real ones", async () => {
    const asked: string[] = [];
    const pool = Object.create(cell.pool, {
      open: { value: (id: string) => (asked.push(id), cell.pool.open(id)) },
    }) as typeof cell.pool;
    const claims = reader({ pool, maxEntries: 5 });
    await claims.read(tenant);
    for (let n = 0; n < 20; n++) await claims.read(`made-up-${n}`);
    const before = asked.length;
    await claims.read(tenant);
    await claims.read("made-up-19");
    expect(asked.length).toBe(before);
    await claims.read("made-up-0");
    expect(asked.length).toBe(before + 1);
  });
});

async function outcomes(writes: Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const settled of await Promise.allSettled(writes)) {
    const code = settled.status === "fulfilled" ? "done" : codeOf(settled.reason);
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

async function countItems(of = tenant): Promise<number> {
  return (await cell.firestore.collection(`tenants/${of}/items`).get()).size;
}

/** How many items the tenant has, and how many different events. */
async function totals(of = tenant): Promise<{ items: number; events: number }> {
  const pages = (await readOutbox(cell.firestore)).filter((page) => page.tenantId === of);
  const ids = pages.flatMap((page) => page.events.map((event) => event.id));
  if (new Set(ids).size !== ids.length) throw new Error("an event is there twice");
  return { items: await countItems(of), events: ids.length };
}
