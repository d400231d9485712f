import { expect, inject, test } from "vitest";
import { killAndCompare } from "./sink/scene.ts";

test("events arrive exactly once though sink, cell and warehouse are killed and replies get lost", async () => {
  const { emulator: emulatorHost = "", project = "" } = inject("fleet").cells["eu"] ?? {};
  const result = await killAndCompare({
    emulatorHost,
    project,
    database: "sink-faults",
    events: 4_000,
    kills: 4,
    lostPercent: 20,
    everyMs: 700,
  });
  expect(result.committed).toBeGreaterThanOrEqual(4_000);
  expect(result).toMatchObject({
    arrived: result.committed,
    lost: 0,
    doubled: 0,
    unexplained: 0,
    waiting: 0,
  });
  expect(result.killed["sink"]).toBeGreaterThanOrEqual(2);
}, 240_000);
