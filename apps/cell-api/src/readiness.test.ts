import { describe, expect, it, vi } from "vitest";
import { readinessCheck } from "./readiness.ts";

describe("readinessCheck", () => {
  it("asks once however many want to know, and again after a second", async () => {
    let now = 0;
    let asked = 0;
    const check = async () => {
      asked += 1;
      return undefined;
    };
    const ready = readinessCheck([{ name: "a", check }], () => now);
    await Promise.all([ready(), ready(), ready()]);
    now = 999;
    await ready();
    expect(asked).toBe(1);
    now = 1_000;
    await ready();
    expect(asked).toBe(2);
  });

  it("gives up on a dependency that never answers after a second", async () => {
    vi.useFakeTimers();
    try {
      const silent = { name: "a", check: () => new Promise<undefined>(() => {}) };
      const answer = readinessCheck([silent], Date.now)();
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await answer).toEqual({
        status: "not-ready",
        dependencies: [{ name: "a", state: "unavailable", ms: 1_000 }],
      });
    } finally {
      vi.useRealTimers();
    }
  });
});
