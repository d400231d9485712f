import type { Firestore } from "@google-cloud/firestore";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { DatabasePool } from "../pool.ts";

const options = { projectId: "db-read-only", allow: ["market"], emulatorHost: inject("firestoreHost") };
const writable = new DatabasePool(options);
const readable = new DatabasePool({ ...options, readOnly: true });
let db: Firestore;

beforeAll(async () => {
  const writer = await writable.open("market");
  await writer.doc("values/a").set({ medianMinor: 1 });
  db = await readable.open("market");
});
afterAll(() => Promise.all([writable.close(), readable.close()]));

test("a read-only handle reads, one by one, many at once and by query", async () => {
  expect((await db.doc("values/a").get()).data()).toEqual({ medianMinor: 1 });
  expect(await db.getAll(db.doc("values/a"), db.doc("values/b"))).toHaveLength(2);
  expect((await db.collection("values").where("medianMinor", "==", 1).get()).size).toBe(1);
});

test.each<[string, (db: Firestore) => Promise<unknown>]>([
  ["set", (d) => d.doc("values/a").set({ medianMinor: 2 })],
  ["create", (d) => d.doc("values/b").create({ medianMinor: 2 })],
  ["update", (d) => d.doc("values/a").update({ medianMinor: 2 })],
  ["delete", (d) => d.doc("values/a").delete()],
  ["a batch", (d) => d.batch().set(d.doc("values/a"), { medianMinor: 2 }).commit()],
  ["a bulk writer", (d) => bulk(d)],
  ["a transaction", (d) => d.runTransaction(async (tx) => tx.set(d.doc("values/a"), { medianMinor: 2 }))],
  ["a recursive delete", (d) => d.recursiveDelete(d.collection("values"))],
])("%s is refused before it is sent, and changes nothing", async (_name, mutate) => {
  const started = performance.now();
  await expect(mutate(db)).rejects.toThrow(/can only read|delete failed/);
  expect(performance.now() - started).toBeLessThan(2_000);
  expect((await db.doc("values/a").get()).data()).toEqual({ medianMinor: 1 });
  expect((await db.doc("values/b").get()).exists).toBe(false);
});

async function bulk(d: Firestore): Promise<void> {
  const writer = d.bulkWriter();
  writer.onWriteError(() => false);
  const written = writer.set(d.doc("values/a"), { medianMinor: 2 });
  await Promise.all([written, writer.close()]);
}
