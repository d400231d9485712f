import { readFileSync } from "node:fs";
import { DatabasePool } from "@proveniq/db/pool";
import { type IndexDefinitions, indexDefinitions } from "@proveniq/db/queries";
import { afterEach, expect, inject, test } from "vitest";
import { type BillingProxy, type ProductionOptions, startBillingProxy } from "./index.ts";

const file = new URL("../../../../infra/firestore.indexes.json", import.meta.url);
const definitions = indexDefinitions.parse(JSON.parse(readFileSync(file, "utf8")));
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function open(
  given: Partial<IndexDefinitions> = definitions,
  more: Partial<ProductionOptions> = {},
): Promise<{ proxy: BillingProxy; db: Awaited<ReturnType<DatabasePool["open"]>> }> {
  const all = { indexes: [], fieldOverrides: [], ...given };
  const production = { definitionsOf: () => all, ...more };
  const proxy = await startBillingProxy(inject("firestoreHost"), { production });
  ends.push(() => proxy.close());
  const pool = new DatabasePool({ projectId: "production", allow: ["prod"], emulatorHost: proxy.host });
  ends.push(() => pool.close());
  return { proxy, db: await pool.open("prod") };
}

test("a query without an index is refused, one with an index is answered", async () => {
  const { db } = await open();
  const items = db.collection("tenants/t1/items");
  const newest = items.where("ownerId", "==", "o").orderBy("createdAt", "desc");
  expect((await newest.get()).size).toBe(0);
  expect((await items.where("category", "==", "c").get()).size).toBe(0);
  // One alone: the client tries again for seconds.
  await expect(items.where("ownerId", "==", "o").get()).rejects.toMatchObject({ code: 9 });
});

test("a document that is too large or has too many index entries is refused, and nothing of it is written", async () => {
  const { db, proxy } = await open();
  const large = db.doc("things/large");
  await expect(large.set({ text: "x".repeat(1_100_000) })).rejects.toMatchObject({ code: 3 });
  const many = Object.fromEntries(Array.from({ length: 20_001 }, (_, n) => [`f${n}`, true]));
  await expect(db.doc("things/many").set(many)).rejects.toMatchObject({ code: 3 });
  expect((await large.get()).exists).toBe(false);
  expect(proxy.billed()).toEqual({ reads: 1, writes: 0, deletes: 0 });
});

test("counts entries and bytes by tenant, and what scans pass over", async () => {
  const { db, proxy } = await open();
  const pages = ["a", "b", "c", "d"].map((name) => db.doc(`tenants/t2/pages/${name}`));
  for (const page of pages) await page.set({ n: 1 });
  for (const page of pages.slice(0, 3)) await page.delete();
  proxy.reset();
  const found = await db.collection("tenants/t2/pages").orderBy("__name__").limit(1).get();
  expect(found.docs.map((doc) => doc.id)).toEqual(["d"]);
  await db.doc("tenants/t3/items/i").set({ ownerId: "o", createdAt: new Date(), category: "c", body: "{}" });
  expect(proxy.traffic()).toEqual([
    { tenant: "t2", collection: "pages", writes: 0, deletes: 0, indexEntries: 0, bytes: 0, tombstones: 3 },
    // The category twice, and the two composite indexes whose fields are all there.
    expect.objectContaining({ tenant: "t3", collection: "items", writes: 1, deletes: 0, indexEntries: 4 }),
  ]);
});

test("rows of one owner written newest last run hot at 1,000 a second of simulated time; without that index they do not", async () => {
  const write = async (given: IndexDefinitions, tenant: string) => {
    const { db, proxy } = await open(given, { simulatedWritesPerSecond: 1_000 });
    for (let commit = 0; commit < 20; commit++) {
      const batch = db.batch();
      const createdAt = new Date(1_700_000_000_000 + commit);
      for (let n = 0; n < 200; n++)
        batch.create(db.collection(`tenants/${tenant}/items`).doc(), {
          ownerId: tenant,
          createdAt,
          body: "{}",
        });
      await batch.commit();
    }
    return proxy.hot();
  };
  const hot = await write(definitions, "t4");
  expect(hot.map(({ space, prefix }) => [space.split(" ").slice(2).join(" "), prefix])).toEqual([
    ["items(ownerId, createdAt desc)", ["t4"]],
  ]);
  expect(hot[0]?.writesPerSecond).toBeGreaterThan(900);
  expect(await write({ ...definitions, indexes: [] }, "t5")).toEqual([]);
});

test("a commit takes as long as it is told, and reads do not", async () => {
  const { db } = await open(definitions, { commitMs: [80, 100] });
  await db.doc("things/a").get();
  const began = performance.now();
  await db.doc("things/a").set({ n: 1 });
  expect(performance.now() - began).toBeGreaterThan(79);
});
