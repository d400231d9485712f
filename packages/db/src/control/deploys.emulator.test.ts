import { randomUUID } from "node:crypto";
import type { ArtefactRef, DeployRecord, Lease, RolloutRecord } from "@proveniq/contracts";
import { afterAll, describe, expect, inject, test } from "vitest";
import { LeaseHeld, LeaseLost } from "../lease/lease.ts";
import { DatabasePool } from "../pool.ts";
import { DeployBook } from "./deploys.ts";

const emulatorHost = inject("firestoreHost");
const pools: DatabasePool[] = [];
afterAll(() => Promise.all(pools.map((pool) => pool.close())));

let made = 0;
function fresh(): DeployBook {
  const pool = new DatabasePool({ projectId: `db-deploys-${++made}`, allow: ["deploys"], emulatorHost });
  pools.push(pool);
  return new DeployBook(pool, "deploys");
}

const now = new Date("2026-11-28T03:00:00.000Z");
const later = (seconds: number) => new Date(now.getTime() + seconds * 1_000);
const ann = { who: "ann@proveniq.io", from: "ann-laptop" };
const leaseUntil = (seconds: number): Lease => ({
  ...ann,
  token: randomUUID(),
  until: later(seconds).toISOString(),
});
const artefact = (letter: string): ArtefactRef => ({
  digest: letter.repeat(64),
  zipSha256: letter.repeat(64),
  commit: letter,
});
const deploy = (letter: string): DeployRecord => ({
  ...ann,
  id: randomUUID(),
  cellId: "eu",
  target: "here",
  artefact: artefact(letter),
  startedAt: now.toISOString(),
  outcome: "running",
  timeline: [],
});

/** What is known of a cell that runs the first, and ran the others, newest first. */
const runs = (letter: string, ...before: string[]) => ({
  cellId: "eu",
  serving: artefact(letter),
  ...(before[0] === undefined ? {} : { previous: artefact(before[0]) }),
  older: before.map(artefact),
});

describe("the deploys of a cell", () => {
  test("are written down step by step, and keep what the cell runs and ran", async () => {
    const book = fresh();
    expect(await book.cell("eu")).toEqual({ cellId: "eu" });
    for (const letter of ["a", "b"]) {
      const [record, lease] = [deploy(letter), leaseUntil(10)];
      await book.begin(record, lease, now);
      const step = { at: now.toISOString(), step: "apply", text: "putting it in place" };
      await book.note(record, lease, [step]);
      await book.note(record, lease, [step]);
      await book.finish(record, lease, { outcome: "done", at: later(5), serving: record.artefact });
      expect((await book.recent(1, "eu"))[0]).toMatchObject({ outcome: "done", timeline: [step] });
    }
    expect(await book.cell("eu")).toEqual(runs("b", "a"));
  });

  test("know where each rollback goes: further back, past what was gone back from, until there is nothing", async () => {
    const book = fresh();
    const put = async (letter: string, back = false) => {
      const [record, lease] = [deploy(letter), leaseUntil(10)];
      await book.begin(record, lease, now);
      await book.finish(record, lease, { outcome: "done", at: later(5), serving: artefact(letter), back });
      return book.cell("eu");
    };
    for (const letter of ["a", "b", "c"]) await put(letter);
    expect(await put("b", true)).toEqual(runs("b", "a"));
    expect(await put("a", true)).toEqual(runs("a"));
    // Deployed once more, by somebody who means it.
    expect(await put("c")).toEqual(runs("c", "a"));
    expect(await put("c")).toEqual(runs("c", "a"));
    expect(await put("d")).toEqual(runs("d", "c", "a"));
    expect(await put("a")).toEqual(runs("a", "d", "c"));
  });

  test("know what the first of them found in the cell, as the way back", async () => {
    const book = fresh();
    const [record, lease] = [deploy("b"), leaseUntil(10)];
    await book.begin(record, lease, now);
    await book.note(record, lease, [], { previous: artefact("a") });
    await book.finish(record, lease, { outcome: "done", at: later(5), serving: artefact("b") });
    expect(await book.cell("eu")).toEqual(runs("b", "a"));
  });

  test("that end badly leave what is recorded of the cell as it was", async () => {
    const book = fresh();
    const [record, lease] = [deploy("a"), leaseUntil(10)];
    await book.begin(record, lease, now);
    await book.finish(record, lease, { outcome: "rolled-back", at: later(5), reason: "errors" });
    expect(await book.cell("eu")).toEqual({ cellId: "eu" });
    expect(await book.recent(5)).toMatchObject([{ outcome: "rolled-back", reason: "errors" }]);
  });

  test("are one at a time: a second is refused, and one whose process died is closed by the next", async () => {
    const book = fresh();
    const [first, lease] = [deploy("a"), leaseUntil(10)];
    await book.begin(first, lease, now);
    const second = deploy("b");
    await expect(book.begin(second, leaseUntil(30), later(9))).rejects.toThrow(LeaseHeld);
    // Whatever the clock of whoever asks says, and whatever it saw before the last sign of life.
    await expect(book.begin(second, leaseUntil(90), later(3_600))).rejects.toThrow(LeaseHeld);
    const stale = { ...lease, until: later(1).toISOString() };
    await expect(book.begin(second, leaseUntil(30), later(11), stale)).rejects.toThrow(LeaseHeld);
    expect(await book.recent(5)).toHaveLength(1);
    const taken = leaseUntil(30);
    expect(await book.begin(second, taken, later(11), lease)).toMatchObject({ deployId: first.id });
    // Making it again, as after a commit whose answer was lost, changes nothing.
    await book.begin(second, taken, later(11));
    expect((await book.recent(5)).map((d) => d.outcome).sort()).toEqual(["abandoned", "running"]);
    await expect(book.note(first, lease, [])).rejects.toThrow(LeaseLost);
    await expect(
      book.finish(first, lease, { outcome: "done", at: now, serving: artefact("a") }),
    ).rejects.toThrow(LeaseLost);
    expect(await book.cell("eu")).toMatchObject({ deployId: second.id });
  });

  test("of which twenty begin at once: one begins", async () => {
    const book = fresh();
    const tried = await Promise.allSettled(
      Array.from({ length: 20 }, () => book.begin(deploy("a"), leaseUntil(10), now)),
    );
    expect(tried.filter((t) => t.status === "fulfilled")).toHaveLength(1);
  });
});

describe("rollouts", () => {
  const rollout = (letter: string, lease: Lease): RolloutRecord => ({
    ...ann,
    id: randomUUID(),
    target: "here",
    artefact: artefact(letter),
    startedAt: now.toISOString(),
    outcome: "running",
    canary: "waiting",
    cells: [{ cellId: "eu", wave: 1, state: "waiting" }],
    lease,
  });

  test("are one at a time, are taken up where they were, and are kept", async () => {
    const book = fresh();
    expect(await book.latestRollout()).toBeUndefined();
    const lease = leaseUntil(10);
    const record = await book.openRollout(rollout("a", lease));
    await book.saveRollout({ ...record, canary: "passed" }, lease);
    await expect(book.openRollout(rollout("b", leaseUntil(30)))).rejects.toThrow(LeaseHeld);
    await expect(book.openRollout({ ...record, lease: leaseUntil(30) })).rejects.toThrow(LeaseHeld);
    const again = leaseUntil(30);
    const taken = await book.openRollout({ ...record, lease: again }, lease);
    expect(taken).toMatchObject({ id: record.id, canary: "passed" });
    await expect(book.saveRollout({ ...record, outcome: "done" }, lease)).rejects.toThrow(LeaseLost);
    await book.saveRollout({ ...taken, outcome: "done" }, again);
    expect(await book.latestRollout()).toMatchObject({ id: record.id, outcome: "done" });
  });
});
