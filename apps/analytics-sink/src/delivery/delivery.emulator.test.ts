import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  countOutbox,
  listAside,
  readSinkState,
  resumeSink,
  retryAside,
} from "@proveniq/db/outbox/operations";
import { KnownPeople } from "@proveniq/db/outbox/people";
import { OutboxSink } from "@proveniq/db/outbox/sink";
import { DatabasePool } from "@proveniq/db/pool";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { FileKeys } from "../keys/index.ts";
import { silentLogger } from "../log.ts";
import { FakeWarehouse } from "../testing/fake-warehouse.ts";
import { pageOf, putPages, putRubbish } from "../testing/outbox.ts";
import { Delivery, type DeliveryDeps, outboxName } from "./delivery.ts";

let folder = "";
const pools: DatabasePool[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sink-"));
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  await rm(folder, { recursive: true });
});

const agesOf = (db: ConstructorParameters<typeof KnownPeople>[0], minimumDays = 0) => {
  const known = new KnownPeople(db);
  return { since: known.since.bind(known), minimumDays };
};

let made = 0;
/** An outbox, a warehouse, and as many sinks over them as a test wants. */
async function scene() {
  const project = `sink-${++made}`;
  const pool = new DatabasePool({ projectId: project, allow: ["eu"], emulatorHost: inject("firestoreHost") });
  pools.push(pool);
  const db = await pool.open("eu");
  const warehouse = new FakeWarehouse();
  const alarms: unknown[] = [];
  const logger = {
    ...silentLogger,
    error: (about: object) => alarms.push("alarm" in about ? about.alarm : about),
  };
  const sink = (more: Partial<DeliveryDeps> = {}, leaseMs = 60_000, database = `${project}/eu`) =>
    new Delivery({
      cell: { id: "eu", region: "europe-west1", consumers: "consumers-eu" },
      database,
      outbox: new OutboxSink(db, outboxName(database), randomUUID(), leaseMs),
      warehouse,
      keys: new FileKeys(join(folder, project)),
      ages: agesOf(db),
      logger,
      ...more,
    });
  /** The next sink may take over at once. */
  const successor = async (more: Partial<DeliveryDeps> = {}) => {
    const ref = db.doc("analytics/sink");
    const state = JSON.parse(String((await ref.get()).get("json")));
    await ref.set({ json: JSON.stringify({ ...state, lease: null }) });
    return sink(more);
  };
  return { db, warehouse, sink, successor, alarms, database: `${project}/eu` };
}

async function settle(delivery: Delivery): Promise<void> {
  for (let n = 0; n < 50; n++) if ((await delivery.step()) === "idle") return;
  throw new Error("it never settled");
}

const once = (rows: string[], count: number) => {
  expect(rows).toHaveLength(count);
  expect(new Set(rows).size).toBe(count);
};

test("what waits is delivered once, many pages at a time, and the outbox is empty", async () => {
  const { db, warehouse, sink } = await scene();
  await putPages(db, ...Array.from({ length: 30 }, () => pageOf(1)), pageOf(500), pageOf(120));
  const delivery = sink();
  await settle(delivery);
  once(warehouse.rows("events"), 650);
  expect(warehouse.rows("plans")).toHaveLength(1);
  expect(await countOutbox(db)).toEqual({ pages: 0, events: 0 });
  // Three streams, and one append to each of them.
  expect(warehouse.calls).toBe(6);
  await putPages(db, pageOf(3));
  await settle(delivery);
  once(warehouse.rows("events"), 653);
  expect(delivery.state?.delivered).toMatchObject({ plans: 2, events: 653 });
});

test("a delivery holds no more than its bounds", async () => {
  const { db, warehouse, sink } = await scene();
  await putPages(db, ...Array.from({ length: 9 }, () => pageOf(100)));
  await settle(sink({ maxEvents: 250 }));
  expect(warehouse.rows("plans")).toHaveLength(5);
  once(warehouse.rows("events"), 900);
});

test.each([
  ["lost", "people", "lose"],
  ["lost", "events", "lose"],
  ["lost", "plans", "lose"],
  ["refused", "people", "fail"],
  ["refused", "events", "fail"],
  ["refused", "plans", "fail"],
] as const)(
  "an answer %s at %s (%s) doubles nothing, for the same sink and for its successor",
  async (_, table, fault) => {
    for (const next of ["same", "successor"] as const) {
      const { db, warehouse, sink, successor, alarms } = await scene();
      await putPages(db, pageOf(40));
      const first = sink();
      let faults = 0;
      warehouse.fault = (append) => (append.table === table && faults++ === 0 ? fault : undefined);
      await expect(settle(first)).rejects.toThrow(/lost|UNAVAILABLE/);
      await settle(next === "same" ? first : await successor());
      once(warehouse.rows("events"), 40);
      expect(warehouse.rows("plans")).toHaveLength(1);
      expect(warehouse.streams.size).toBe(3);
      expect(alarms).toEqual([]);
    }
  },
);

test("people count from some days after their first change, by what the tenant's own database remembers", async () => {
  const { db, warehouse, sink, successor } = await scene();
  const ages = () => ({ ages: agesOf(db, 7) });
  await putPages(db, pageOf(80));
  await settle(sink(ages()));
  once(warehouse.rows("events"), 80);
  expect(warehouse.rows("people")).toEqual([]);
  expect((await db.collection("tenants/atelier-nord/people").get()).size).toBe(40);
  const later = new Date(Date.now() + 7 * 86_400_000);
  await putPages(db, pageOf(80, { at: later }), pageOf(1, { at: later, ownerId: "new" }));
  await settle(await successor({ ...ages(), now: () => later }));
  once(warehouse.rows("people"), 40);
});

test("a state of the release before is taken over: its streams are ended, and new ones begun, without an alarm", async () => {
  const { db, warehouse, sink, alarms, database } = await scene();
  await putPages(db, pageOf(5));
  await settle(sink());
  const state = db.doc("analytics/sink");
  const json = String((await state.get()).get("json"));
  await state.set({
    json: json.replace(outboxName(database), database).replace(/"lease":\{[^}]*\}/, '"lease":null'),
  });
  const former = [...warehouse.streams.values()];
  await putPages(db, pageOf(7));
  await settle(sink());
  once(warehouse.rows("events"), 12);
  expect(former.every((s) => s.ended)).toBe(true);
  expect([warehouse.streams.size, alarms]).toEqual([6, []]);
});

test("two sinks: the second waits, takes over when the lease is over, and the first can then change nothing", async () => {
  const { db, warehouse, sink } = await scene();
  await putPages(db, pageOf(10));
  const first = sink({}, 300);
  const second = sink({}, 300);
  // The first plans, then sleeps in its append until the second has taken over and delivered.
  const append = warehouse.append.bind(warehouse);
  const asleep = Promise.withResolvers<void>();
  const awake = Promise.withResolvers<void>();
  warehouse.append = async (...args) => {
    warehouse.append = append;
    asleep.resolve();
    await awake.promise;
    return append(...args);
  };
  const slow = first.step();
  await asleep.promise;
  await expect.poll(() => second.step(), { timeout: 20_000 }).toBe("idle");
  awake.resolve();
  await expect(slow).rejects.toThrow(/another process has taken over this outbox/);
  once(warehouse.rows("events"), 10);
  expect([...warehouse.streams.values()].some((s) => s.ended)).toBe(false);
});

test("a page that cannot be read is set aside with an alarm, holds up nothing, and can be tried again", async () => {
  const { db, warehouse, sink, alarms } = await scene();
  await putRubbish(db, "not a page, but a secret");
  await putPages(db, pageOf(5));
  const delivery = sink();
  await settle(delivery);
  once(warehouse.rows("events"), 5);
  expect(alarms).toEqual(["page-set-aside"]);
  expect(await listAside(db)).toEqual([expect.objectContaining({ reason: "is not JSON" })]);
  expect(delivery.state?.setAside).toBe(1);
  expect(await retryAside(db)).toBe(1);
  expect(await countOutbox(db)).toMatchObject({ pages: 1 });
});

test("a stream that is lost is followed by new ones", async () => {
  const { db, warehouse, sink, alarms } = await scene();
  const delivery = sink();
  await putPages(db, pageOf(5));
  await settle(delivery);
  const [events] = [...warehouse.streams].filter(([, s]) => s.table === "events");
  warehouse.streams.delete(events?.[0] ?? "");
  await putPages(db, pageOf(7));
  await settle(delivery);
  expect(alarms).toEqual(["stream-lost"]);
  once(warehouse.rows("events"), 7);
});

test("rows that the warehouse lost stop the sink until somebody has looked", async () => {
  const { db, warehouse, sink, alarms, database, successor } = await scene();
  await putPages(db, pageOf(5));
  await settle(sink());
  for (const stream of warehouse.streams.values()) if (stream.table === "events") stream.rows.length = 2;
  await putPages(db, pageOf(7));
  const later = await successor();
  expect(await later.step()).toBe("halted");
  expect(await later.step()).toBe("halted");
  expect(alarms).toEqual(["rows-missing"]);
  expect((await readSinkState(db, database)).halted?.reason).toMatch(/fewer rows/);
  expect(await resumeSink(db, database)).toBe(true);
  await settle(sink());
  expect(warehouse.rows("events")).toHaveLength(9);
});

test("a database that was put back: what is sent again has the same ids and goes to new streams", async () => {
  const { db, warehouse, sink, alarms, successor } = await scene();
  const pages = [pageOf(5), pageOf(6)];
  await putPages(db, ...pages);
  const state = db.doc("analytics/sink");
  const first = sink({ maxEvents: 6 });
  await first.step();
  const before = await state.get();
  const waiting = await db.collection("outbox").get();
  await first.step();
  // Back to the moment between the two deliveries.
  await state.set(before.data() ?? {});
  for (const doc of waiting.docs) await doc.ref.set(doc.data());
  await settle(await successor());
  expect(alarms).toEqual(["outbox-rewound"]);
  const rows = warehouse.rows("events");
  expect(new Set(rows).size).toBe(11);
  expect(rows.length).toBeGreaterThan(11);
});

test("a state that came from another database begins new streams", async () => {
  const { db, warehouse, sink, alarms } = await scene();
  await putPages(db, pageOf(5));
  await settle(sink());
  await db.doc("analytics/sink").update({
    json: String((await db.doc("analytics/sink").get()).get("json")).replace(
      /"lease":\{[^}]*\}/,
      '"lease":null',
    ),
  });
  await putPages(db, pageOf(6));
  await settle(sink({}, 60_000, "restored/eu"));
  expect(alarms).toEqual(["database-restored"]);
  once(warehouse.rows("events"), 11);
  expect(warehouse.streams.size).toBe(6);
});

test.each([true, false])(
  "a plan whose key is gone: the stream's own count decides (delivered: %s)",
  async (delivered) => {
    const { db, warehouse, sink, successor, alarms } = await scene();
    await putPages(db, pageOf(8));
    warehouse.fault = ({ table }) => (table !== "events" ? undefined : delivered ? "lose" : "fail");
    await expect(settle(sink())).rejects.toThrow(/lost|UNAVAILABLE/);
    warehouse.fault = () => undefined;
    const later = new Date(Date.now() + 9 * 86_400_000);
    await settle(await successor({ now: () => later }));
    expect(alarms).toEqual(["delivery-in-doubt"]);
    once(warehouse.rows("events"), 8);
    expect(warehouse.rows("plans")).toHaveLength(1);
    expect(await countOutbox(db)).toEqual({ pages: 0, events: 0 });
  },
);
