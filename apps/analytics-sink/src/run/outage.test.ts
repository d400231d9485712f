import { createSecretKey } from "node:crypto";
import type { SinkState } from "@proveniq/db/outbox/sink";
import { expect, test } from "vitest";
import { Delivery, type Outbox } from "../delivery/delivery.ts";
import { silentLogger } from "../log.ts";
import { FakeWarehouse } from "../testing/fake-warehouse.ts";
import { pageOf } from "../testing/outbox.ts";
import { carry } from "./carry.ts";

const minute = 60_000;

/** An outbox in memory that says how much of it was ever asked for at once. */
class MemoryOutbox implements Outbox {
  readonly pages = new Map<string, { blob: Buffer; writtenAt: number }>();
  mostRead = 0;
  #state: SinkState = {
    lease: null,
    database: "p/eu#2",
    streams: null,
    plan: null,
    last: null,
    cursor: null,
    halted: null,
    delivered: { plans: 0, events: 0, eventRows: 0, markRows: 0 },
    setAside: 0,
  };

  acquire = () => Promise.resolve(this.#state);
  confirm = () => Promise.resolve();

  list(limit: number, after: string | null) {
    const names = [...this.pages.keys()].filter((name) => after === null || name > after).sort();
    const found = names.slice(0, limit);
    return Promise.resolve(
      found.map((name) => ({ name, events: 1, writtenAt: this.pages.get(name)?.writtenAt ?? 0 })),
    );
  }

  read(names: readonly string[]) {
    this.mostRead = Math.max(this.mostRead, names.length);
    return Promise.resolve(names.map((name) => this.pages.get(name)?.blob));
  }

  setStreams = (streams: SinkState["streams"]) => this.#become({ streams });
  plan = (plan: NonNullable<SinkState["plan"]>, cursor: string | null) => this.#become({ plan, cursor });
  setAside = () => this.#become({});
  halt = () => this.#become({});

  finish(plan: NonNullable<SinkState["plan"]>) {
    for (const name of plan.pages) this.pages.delete(name);
    const { streams } = this.#state;
    if (streams === null) throw new Error("no streams");
    const moved = (of: keyof typeof streams, rows: number) => ({
      name: streams[of].name,
      offset: streams[of].offset + rows,
    });
    return this.#become({
      plan: null,
      streams: {
        marks: moved("marks", plan.marks.rows),
        events: moved("events", plan.rows.rows),
        plans: moved("plans", 1),
      },
    });
  }

  #become(change: Partial<SinkState>) {
    this.#state = { ...this.#state, ...change };
    return Promise.resolve(this.#state);
  }
}

test("a warehouse that is away for an hour at full rate: few attempts, alarms, bounded memory, and everything arrives once", async () => {
  const clock = { now: Date.UTC(2026, 10, 23, 8) };
  const [began, back] = [clock.now, clock.now + 60 * minute];
  const outbox = new MemoryOutbox();
  const warehouse = new FakeWarehouse();
  let attempts = 0;
  warehouse.fault = () => {
    if (clock.now >= back) return undefined;
    attempts++;
    return "fail";
  };
  // A page a second is 500 events a second in pages as imports write them; the cell goes on whatever the sink does.
  let written = 0;
  const cellWrites = (until: number) => {
    for (; began + written * 1_000 <= Math.min(until, back + minute); written++) {
      const blob = Buffer.from(JSON.stringify(pageOf(1, { at: new Date(began + written * 1_000) })));
      // Names are random, as in the real one.
      outbox.pages.set(`${(written * 7_919) % 100_003}`.padStart(6, "0"), {
        blob,
        writtenAt: began + written * 1_000,
      });
    }
  };
  const alarms: { at: number; alarm: unknown }[] = [];
  const tell = (about: object) => {
    if ("alarm" in about) alarms.push({ at: clock.now, alarm: about.alarm });
  };
  const stop = new AbortController();
  const key = createSecretKey(Buffer.alloc(32));
  const delivery = new Delivery({
    cell: { id: "eu", region: "europe-west1" },
    database: "p/eu",
    outbox,
    warehouse,
    keys: { key: () => Promise.resolve(key), destroyExpired: () => Promise.resolve() },
    ages: { since: (people) => Promise.resolve(people.map((p) => p.day)), minimumDays: 0 },
    logger: silentLogger,
    now: () => new Date(clock.now),
  });
  cellWrites(clock.now);
  await carry(
    {
      delivery,
      database: "p/eu",
      logger: { ...silentLogger, warn: tell, error: tell },
      signal: stop.signal,
      idleMs: 1_000,
      alarmAgeMs: 15 * minute,
      now: () => clock.now,
      wait: (ms) => {
        clock.now += ms;
        cellWrites(clock.now);
        if (clock.now > back + 3 * minute) stop.abort();
        return Promise.resolve();
      },
    },
    { steppedAt: undefined, failures: 0, pause: undefined },
  );

  expect(written).toBeGreaterThan(3_600);
  expect(outbox.pages.size).toBe(0);
  const rows = warehouse.rows("events");
  expect(rows).toHaveLength(written);
  expect(new Set(rows).size).toBe(written);
  expect(attempts).toBeLessThan(100);
  expect(outbox.mostRead).toBeLessThanOrEqual(200);
  const old = alarms.filter((a) => a.alarm === "outbox-old");
  expect((old[0]?.at ?? 0) - began).toBeLessThan(17 * minute);
  expect(old.length).toBeGreaterThanOrEqual(3);
  expect(alarms.some((a) => a.alarm === "sink-failing")).toBe(true);
  expect(alarms.filter((a) => a.at > back + 2 * minute)).toEqual([]);
});
