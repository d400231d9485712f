import type { Firestore } from "@google-cloud/firestore";
import { afterAll, describe, expect, inject, test } from "vitest";
import { setClaim } from "../claims.ts";
import { readOutbox } from "../outbox.ts";
import { answered, respond, ring, testCell } from "../testing/tenants.ts";

const cells: Awaited<ReturnType<typeof testCell>>[] = [];
let made = 0;
afterAll(() => Promise.all(cells.map((cell) => cell.close())));

/** A client of its own for each test: they wait most of their time, and faults are injected into the client. */
async function fresh() {
  const cell = await testCell(inject("firestoreHost"), `db-ambiguous-${++made}`, "carrier-a");
  cells.push(cell);
  return { firestore: cell.firestore, items: cell.open("carrier-a").items };
}

const idempotency = { route: "POST /v1/items", key: "k-1", digest: "same" };

/** gRPC codes after which the client library runs a transaction again without knowing how the commit ended. */
const ambiguous = [1, 2, 4, 13, 14];

describe.concurrent("a commit that was not made", () => {
  test("for good is a problem, and nothing is left behind", async () => {
    const { firestore, items } = await fresh();
    const failed = failCommits(firestore, Number.POSITIVE_INFINITY, 14);
    const began = performance.now();
    const write = items.create(ring(), { respond });
    await expect(write).rejects.toMatchObject({
      code: "database-unavailable",
      headers: { "retry-after": "2" },
    });
    expect(performance.now() - began).toBeLessThan(10_000);
    // The database is well again, and the library would now try once more: nobody waits for that any longer.
    failed.restore();
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(await totals(firestore)).toEqual({ items: 0, events: 0 });
  });

  test("is tried again, and made once", async () => {
    const { firestore, items } = await fresh();
    const failed = failCommits(firestore, 2, 14);
    await items.create(ring(), { respond });
    expect(failed.commits()).toBe(3);
    expect(await totals(firestore)).toEqual({ items: 1, events: 1 });
  });
});

describe.concurrent("a commit that was made, but whose reply was lost", () => {
  test.each(ambiguous)("with code %i doubles no item, no event and no answer", async (code) => {
    const { firestore, items } = await fresh();
    for (const options of [{ respond }, { respond, idempotency }]) {
      const lost = loseReplies(firestore, 1, code);
      const result = await items.create(ring(), options);
      expect(lost.commits()).toBe(2);
      expect(result.replayed).toBe(false);
      expect(await items.get(answered(result).item.id)).toEqual(answered(result));
    }
    expect(await totals(firestore)).toEqual({ items: 2, events: 2 });
  });

  test("counts as made once by a patch and by a delete", async () => {
    const { firestore, items } = await fresh();
    const { item, etag } = answered(await items.create(ring(), { respond }));
    loseReplies(firestore, 1, 14);
    const patched = answered(await items.patch(item.id, { title: "Band" }, { respond, ifMatch: [etag] }));
    expect(patched.item).toMatchObject({ title: "Band", version: 2 });
    loseReplies(firestore, 1, 14);
    const deleted = answered(await items.delete(item.id, { respond, ifMatch: [patched.etag] }));
    expect(deleted).toEqual(patched);
    expect(await totals(firestore)).toEqual({ items: 0, events: 3 });
  });

  test("lost again and again is still one write", async () => {
    const { firestore, items } = await fresh();
    // The second reply that is lost is the one that says: there is nothing left to do.
    loseReplies(firestore, 3, 14);
    const result = await items.create(ring({ externalId: "A" }), { respond });
    expect(answered(result).item.externalId).toBe("A");
    expect(await totals(firestore)).toEqual({ items: 1, events: 1 });
  });

  test("is acknowledged though the tenant has moved since", async () => {
    const { firestore, items } = await fresh();
    loseReplies(firestore, 1, 14, async () => {
      await setClaim(firestore, "carrier-a", (c) => ({
        ...c,
        state: "moved",
        successor: { cellId: "eu", epoch: 2 },
      }));
    });
    const result = await items.create(ring(), { respond });
    expect(result.replayed).toBe(false);
    expect(await totals(firestore)).toEqual({ items: 1, events: 1 });
  });

  test("meets a second request with its key as an answered one", async () => {
    const { firestore, items } = await fresh();
    let second: ReturnType<typeof items.create> | undefined;
    loseReplies(firestore, 1, 14, async () => {
      second = items.create(ring(), { respond, idempotency });
      await second;
    });
    const first = await items.create(ring(), { respond, idempotency });
    expect(first.replayed).toBe(false);
    expect(await second).toEqual({ response: first.response, replayed: true });
    expect(await totals(firestore)).toEqual({ items: 1, events: 1 });
  });
});

type Request = (method: string, ...rest: unknown[]) => Promise<unknown>;

/** Commits reach the database; the next `count` replies do not come back. `between` runs once the first is made. */
function loseReplies(firestore: Firestore, count: number, code: number, between?: () => Promise<void>) {
  return intercept(firestore, count, async (call) => {
    await call();
    await between?.();
    throw Object.assign(new Error("reply lost"), { code });
  });
}

/** The next `count` commits do not reach the database. */
function failCommits(firestore: Firestore, count: number, code: number) {
  return intercept(firestore, count, () => Promise.reject(Object.assign(new Error("not sent"), { code })));
}

function intercept(
  firestore: Firestore,
  count: number,
  fault: (call: () => Promise<unknown>) => Promise<unknown>,
) {
  const original = Reflect.get(Object.getPrototypeOf(firestore), "request") as Request;
  let left = count;
  let commits = 0;
  const request: Request = (method, ...rest) => {
    const call = () => original.call(firestore, method, ...rest);
    if (method !== "commit") return call();
    commits++;
    return left-- > 0 ? fault(call) : call();
  };
  Reflect.set(firestore, "request", request);
  return { commits: () => commits, restore: () => Reflect.deleteProperty(firestore, "request") };
}

/** How many items the tenant has, and how many different events. */
async function totals(firestore: Firestore): Promise<{ items: number; events: number }> {
  const pages = await readOutbox(firestore);
  const ids = pages.flatMap((page) => page.events.map((event) => event.id));
  if (new Set(ids).size !== ids.length) throw new Error("an event is there twice");
  return {
    items: (await firestore.collection("tenants/carrier-a/items").get()).size,
    events: ids.length,
  };
}
