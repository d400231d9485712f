import { DatabasePool } from "@proveniq/db/pool";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type BillingProxy, startBillingProxy } from "./index.ts";

let proxy: BillingProxy;
let pool: DatabasePool;
beforeAll(async () => {
  proxy = await startBillingProxy(inject("firestoreHost"));
  pool = new DatabasePool({ projectId: "billing", allow: ["billed"], emulatorHost: proxy.host });
});
afterAll(async () => {
  await pool.close();
  await proxy.close();
});

async function costOf(work: () => Promise<unknown>) {
  proxy.reset();
  await work();
  return proxy.billed();
}

test("each kind of call costs what Firestore's price list says", async () => {
  const things = (await pool.open("billed")).collection("things");
  const { firestore } = things;
  const refs = Array.from({ length: 1_201 }, (_, n) => things.doc(`t${n}`));
  const batch = async (
    change: (b: ReturnType<typeof firestore.batch>, n: number) => void,
    from: number,
    to: number,
  ) => {
    const made = firestore.batch();
    for (let n = from; n < to; n++) change(made, n);
    await made.commit();
  };
  const at = (n: number) => refs[n] ?? things.doc("none");
  const create = (from: number, to: number) =>
    batch((b, n) => b.create(at(n), { n, even: n % 2 === 0 }), from, to);

  expect(await costOf(() => create(0, 500))).toEqual({ reads: 0, writes: 500, deletes: 0 });
  expect(await costOf(() => create(499, 501).catch(() => undefined))).toEqual({
    reads: 0,
    writes: 0,
    deletes: 0,
  });
  await create(500, 1_201);
  expect(await costOf(() => firestore.getAll(at(0), at(1), things.doc("none")))).toMatchObject({ reads: 3 });
  expect(await costOf(() => things.where("even", "==", true).limit(40).get())).toMatchObject({ reads: 40 });
  expect(await costOf(() => things.where("n", "==", -1).get())).toMatchObject({ reads: 1 });
  expect(await costOf(() => things.count().get())).toMatchObject({ reads: 2 });
  expect(await costOf(() => things.where("n", "<", 3).count().get())).toMatchObject({ reads: 1 });
  const change = () =>
    firestore.runTransaction(async (tx) => {
      await tx.getAll(at(0), at(1));
      tx.set(at(0), { n: 0 });
      tx.update(at(1), { n: 1 });
      tx.delete(at(2));
    });
  expect(await costOf(change)).toEqual({ reads: 2, writes: 2, deletes: 1 });
});
