import { ProblemError } from "@proveniq/contracts";
import { ClaimReader } from "@proveniq/db/claims";
import { establishTenant } from "@proveniq/db/control";
import { readOutbox } from "@proveniq/db/outbox";
import { DatabasePool } from "@proveniq/db/pool";
import { openTenant, type WriteOptions } from "@proveniq/db/tenant";
import { type Emulator, startEmulator } from "@proveniq/local-cloud/emulator";
import { startRelay } from "@proveniq/local-cloud/relay";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../setup/ports.ts";

process.env["METADATA_SERVER_DETECTION"] = "none";

let emulator: Emulator;
const closing: (() => Promise<void>)[] = [];
beforeAll(async () => {
  emulator = await startEmulator({ port: await freePort(), heapMb: 256 });
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await emulator.stop();
});

let made = 0;

/** A tenant of its own database project, reached through a relay of its own; `direct` goes past the relay. */
async function fresh() {
  const relay = await startRelay({ port: await freePort(), target: emulator.host });
  const options = { projectId: `faults-${++made}`, allow: ["(default)"] };
  const pool = new DatabasePool({ ...options, emulatorHost: relay.host });
  const direct = new DatabasePool({ ...options, emulatorHost: emulator.host });
  closing.push(
    () => relay.close(),
    () => pool.close(),
    () => direct.close(),
  );
  const tenantId = "carrier-a";
  const place = { databaseId: "(default)", epoch: 1 };
  await establishTenant(direct, { ...place, tenantId, defaultDatabase: "(default)", copies: 2 });
  const actor = { kind: "key", id: "key-1" } as const;
  const { items } = openTenant(pool, { ...place, tenantId, claimCopies: 2, actor });
  return { relay, pool, direct, items, totals: () => totals(direct) };
}

const respond: WriteOptions["respond"] = ({ item, etag }) => ({
  status: 200,
  headers: { etag },
  body: JSON.stringify(item),
});
const ring = { title: "Ring", category: "jewellery" } as const;
const keyed = (key: string) => ({ respond, idempotency: { route: "POST /v1/items", key, digest: "d" } });
const idOf = (result: { response: { body: string | null } }): string =>
  JSON.parse(result.response.body ?? "null").id;

/** The request that commits a change of an item: it alone carries an outbox page. */
const isCommit = (request: Buffer) => request.includes("/documents/outbox/");

describe("a reply dropped on the wire after the database has committed", () => {
  test("doubles no item, no event and no answer", async () => {
    const { relay, items, totals } = await fresh();
    relay.dropReplies(1, isCommit);
    const first = await items.create(ring, { respond });
    relay.dropReplies(1, isCommit);
    const second = await items.create(ring, keyed("k-1"));
    expect([first.replayed, second.replayed]).toEqual([false, false]);
    expect(await items.create(ring, keyed("k-1"))).toEqual({ response: second.response, replayed: true });
    expect(await totals()).toEqual({ items: 2, events: 2 });

    relay.dropReplies(1, isCommit);
    await items.patch(idOf(first), { title: "Band" }, { respond });
    expect((await items.get(idOf(first)))?.item).toMatchObject({ title: "Band", version: 2 });
    relay.dropReplies(1, isCommit);
    await items.delete(idOf(first), { respond });
    expect(await totals()).toEqual({ items: 1, events: 4 });
    expect(relay.counters().dropped).toBe(4);
  });

  test("to one of many writers, who all lose their connection, makes each write once", async () => {
    const { relay, items, totals } = await fresh();
    relay.dropReplies(1, isCommit);
    const results = await Promise.all(Array.from({ length: 20 }, () => items.create(ring, { respond })));
    expect(new Set(results.map(idOf)).size).toBe(20);
    expect(relay.counters().dropped).toBe(1);
    expect(await totals()).toEqual({ items: 20, events: 20 });
  });
});

describe("a database that cannot be reached", () => {
  test.concurrent.each(["cut", "stall"] as const)(
    "(%s) says so within ten seconds, and comes back by itself",
    async (fault) => {
      const { relay, pool, items, totals } = await fresh();
      const { response } = await items.create(ring, { respond });
      const id = idOf({ response });
      const claims = new ClaimReader({ pool, defaultDatabase: "(default)" });

      await relay[fault]();
      const calls = {
        get: items.get(id),
        list: items.list({ limit: 10 }),
        create: items.create(ring, keyed("during")),
        patch: items.patch(id, { title: "Band" }, { respond }),
        claim: claims.read("carrier-a"),
        ping: pool.ping("(default)", 1_000),
      };
      const began = performance.now();
      const outcomes = await Promise.all(
        Object.values(calls).map((call) => call.then(() => "answered", codeOf)),
      );
      expect(performance.now() - began).toBeLessThan(10_000);
      expect(Object.fromEntries(Object.keys(calls).map((name, n) => [name, outcomes[n]]))).toEqual(
        Object.fromEntries(Object.keys(calls).map((name) => [name, "database-unavailable"])),
      );

      await relay.restore();
      const restored = performance.now();
      await expect
        .poll(() => items.get(id).then(() => "answered", codeOf), { timeout: 10_000 })
        .toBe("answered");
      expect(performance.now() - restored).toBeLessThan(5_000);
      expect((await claims.read("carrier-a"))?.claim.state).toBe("active");
      // What was asked for during the fault, asked for again with its key, is made once.
      const again = await items.create(ring, keyed("during"));
      expect(await items.create(ring, keyed("during"))).toEqual({ response: again.response, replayed: true });
      const { items: stored, events } = await totals();
      expect(stored).toBe(2);
      expect(events).toBeLessThanOrEqual(3);
    },
  );
});

function codeOf(error: unknown): string {
  return error instanceof ProblemError ? error.code : String(error);
}

/** How many items there are, and how many different events. */
async function totals(direct: DatabasePool): Promise<{ items: number; events: number }> {
  const firestore = await direct.open("(default)");
  const ids = (await readOutbox(firestore)).flatMap((page) => page.events.map((event) => event.id));
  if (new Set(ids).size !== ids.length) throw new Error("an event is there twice");
  return { items: (await firestore.collection("tenants/carrier-a/items").get()).size, events: ids.length };
}
