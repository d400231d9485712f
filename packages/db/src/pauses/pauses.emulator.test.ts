import type { AuditRecord, Pause } from "@proveniq/contracts";
import { afterAll, expect, inject, test } from "vitest";
import { readAudit } from "../access/writer.ts";
import { inspectPauses } from "../inspect.ts";
import { DatabasePool } from "../pool.ts";
import { PauseReader, pauseRef } from "./reader.ts";
import { setPause } from "./writer.ts";

const pool = new DatabasePool({
  projectId: "db-pauses",
  allow: ["main", "market"],
  emulatorHost: inject("firestoreHost"),
});
afterAll(() => pool.close());

const since = "2026-11-28T00:00:00.000Z";
const origin = { who: "ann", from: "desk" };
const pause = (reason: string): Pause => ({ what: "imports", since, ...origin, reason });
const audit = (action: string): AuditRecord => ({ ...origin, at: since, action, target: "eu", detail: {} });

test("a pause is set, seen, given another reason and ended, each change recorded once", async () => {
  const clock = { now: 0 };
  const reader = new PauseReader({ open: () => pool.open("main"), what: "imports", now: () => clock.now });
  const set = (wanted: Pause | undefined, action: string) =>
    setPause(pool, "main", "imports", wanted, audit(action));
  expect(await reader.current()).toBeUndefined();
  expect(await set(undefined, "imports.resume")).toBe(false);
  expect(await set(pause("one"), "imports.pause")).toBe(true);
  expect(await set(pause("one"), "imports.pause")).toBe(false);

  clock.now += 4_999;
  expect(await reader.current()).toBeUndefined();
  clock.now += 1;
  expect(await reader.current()).toEqual(pause("one"));
  expect(await inspectPauses(pool, "main", "market")).toEqual([pause("one")]);

  expect(await set(pause("two"), "imports.pause")).toBe(true);
  expect(await set(undefined, "imports.resume")).toBe(true);
  clock.now += 5_000;
  expect(await reader.current()).toBeUndefined();
  expect((await readAudit(pool, "main")).map((r) => r.action).sort()).toEqual([
    "imports.pause",
    "imports.pause",
    "imports.resume",
  ]);
});

test("a replicator's pause is where the replicator can read it, and nobody else's is there", async () => {
  await setPause(
    pool,
    "market",
    "replicator",
    { ...pause("x"), what: "replicator" },
    audit("replicator.pause"),
  );
  expect((await inspectPauses(pool, "main", "market")).map((p) => p.what)).toEqual(["replicator"]);
});

test("what cannot be read leaves what was known for a minute, and then it runs; so does what makes no sense", async () => {
  const clock = { now: 0 };
  const reach = { database: true };
  const open = () => (reach.database ? pool.open("main") : Promise.reject(new Error("cut off")));
  const reader = new PauseReader({ open, what: "sink", now: () => clock.now });
  await setPause(pool, "main", "sink", { ...pause("x"), what: "sink" }, audit("sink.pause"));
  expect(await reader.current()).toMatchObject({ reason: "x" });

  reach.database = false;
  clock.now = 59_999;
  expect(await reader.current()).toMatchObject({ reason: "x" });
  clock.now = 60_000;
  expect(await reader.current()).toBeUndefined();

  const strange = new PauseReader({ open: () => pool.open("main"), what: "sink", now: () => clock.now });
  await pauseRef(await pool.open("main"), "sink").set({ of: "another release" });
  expect(await strange.current()).toBeUndefined();
});

test("many who ask at once ask the database once", async () => {
  let opened = 0;
  const open = () => {
    opened += 1;
    return pool.open("main");
  };
  const reader = new PauseReader({ open, what: "imports" });
  await Promise.all(Array.from({ length: 50 }, () => reader.current()));
  expect(opened).toBe(1);
});
