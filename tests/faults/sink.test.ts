import { expect, inject, test } from "vitest";
import { killAndCompare } from "./sink/scene.ts";

test("events arrive exactly once though sink, cell and warehouse are killed and replies get lost", async () => {
  const emulatorHost = inject("fleet").cells["eu"]?.emulator ?? "";
  const result = await killAndCompare({
    emulatorHost,
    project: "sink-faults",
    events: 6_000,
    kills: 5,
    lostPercent: 20,
    everyMs: 900,
  });
  expect(result.committed).toBeGreaterThanOrEqual(6_000);
  expect(result).toMatchObject({
    arrived: result.committed,
    lost: 0,
    doubled: 0,
    unexplained: 0,
    waiting: 0,
  });
  expect(result.killed["sink"]).toBe(2);
}, 120_000);
