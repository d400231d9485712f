import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ImportPace } from "./pace.ts";
import { rampRate, rampSeconds } from "./ramp.ts";

describe("the ramp", () => {
  test("begins at 500 and grows by half every five minutes", () => {
    expect([0, 299_999, 300_000, 600_000].map(rampRate)).toEqual([500, 500, 750, 1125]);
  });
  test("says how long so many writes take", () => {
    expect(rampSeconds(150_000, 0, 10_000)).toBe(300);
    expect(rampSeconds(150_000 + 750, 0, 10_000)).toBe(301);
    // What a million and ten million rows take on a cold collection, in minutes.
    expect(rampSeconds(1_000_000, 0, 10_000) / 60).toBeCloseTo(17.8, 1);
    expect(rampSeconds(10_000_000, 0, 10_000) / 60).toBeCloseTo(43.9, 0);
    expect(rampSeconds(1_000, 0, 100)).toBe(10);
  });
});

describe("the pace", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Documents that each tenant may write in so many seconds, each always wanting a page. */
  async function written(pace: ImportPace, tenants: readonly string[], seconds: number) {
    const counts = new Map(tenants.map((t) => [t, 0]));
    const end = Date.now() + seconds * 1000;
    const wanting = tenants.map(async (tenant) => {
      while (await pace.take(tenant, 400, end - Date.now())) {
        counts.set(tenant, (counts.get(tenant) ?? 0) + 400);
      }
    });
    await vi.advanceTimersByTimeAsync(seconds * 1000 + 1);
    await Promise.all(wanting);
    return tenants.map((t) => counts.get(t) ?? 0);
  }

  test("keeps a tenant's ramp, and the cell's budget over all of them, by its share", async () => {
    const [alone] = await written(new ImportPace({ writesPerSecond: 8_000, share: () => 1 }), ["a"], 60);
    expect(alone).toBeGreaterThan(500 * 58);
    expect(alone).toBeLessThan(500 * 63);
    const shared = new ImportPace({ writesPerSecond: 1_000, share: () => 0.5 });
    const [a = 0, b = 0, c = 0] = await written(shared, ["a", "b", "c"], 60);
    expect(a + b + c).toBeGreaterThan(500 * 58);
    expect(a + b + c).toBeLessThan(500 * 63);
    expect(Math.max(a, b, c) - Math.min(a, b, c)).toBeLessThanOrEqual(800);
  });

  test("grows with the ramp, whose start may lie in the past", async () => {
    const pace = new ImportPace({ writesPerSecond: 8_000, share: () => 1 });
    pace.ramp("a", Date.now() - 600_000);
    const [a = 0] = await written(pace, ["a"], 60);
    expect(a / 60).toBeGreaterThan(1_100);
    expect(a / 60).toBeLessThan(1_180);
  });

  test("follows its share: waits without one, goes on at once with one, and saves nothing beyond it", async () => {
    let share = 0;
    const pace = new ImportPace({ writesPerSecond: 1_000, share: () => share });
    // The first document costs nothing but what is paid back later.
    const [none = 0] = await written(pace, ["a"], 20);
    expect(none).toBeLessThanOrEqual(400);
    expect(pace.secondsUntilFree("a")).toBe(5);
    share = 0.5;
    const [half = 0] = await written(pace, ["a"], 60);
    expect(half / 60).toBeGreaterThan(225);
    expect(half / 60).toBeLessThan(265);
    share = 1;
    const [all = 0] = await written(pace, ["a"], 60);
    expect(all / 60).toBeGreaterThan(480);
    // Its lease ran out while it was frozen: what it had saved up is worth nothing.
    await vi.advanceTimersByTimeAsync(60_000);
    share = 0;
    const [frozen = 0] = await written(pace, ["a"], 20);
    expect(frozen).toBe(0);
  });

  test("takes back what was not written, and says when it is worth asking again", async () => {
    const pace = new ImportPace({ writesPerSecond: 500, share: () => 1 });
    expect(await pace.take("a", 5_000, 0)).toBe(true);
    const refused = pace.take("a", 1, 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await refused).toBe(false);
    expect(pace.secondsUntilFree("a")).toBeGreaterThan(7);
    pace.giveBack("a", 5_000);
    expect(await pace.take("a", 1, 0)).toBe(true);
  });
});
