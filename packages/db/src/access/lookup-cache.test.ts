import { describe, expect, test } from "vitest";
import { LookupCache, type LookupCacheOptions } from "./lookup-cache.ts";

/** A store that counts how often it is asked. */
function setUp(options: Partial<LookupCacheOptions> = {}) {
  const clock = { ms: 0 };
  const store = new Map<string, string>([["real", "value"]]);
  const asked: string[] = [];
  const cache = new LookupCache<string>({ ttlMs: 5_000, now: () => clock.ms, ...options });
  const get = (key: string, payer = "one") =>
    cache.get({ key, payer }, async () => {
      asked.push(key);
      await Promise.resolve();
      return store.get(key);
    });
  return { clock, store, asked, cache, get };
}

describe("LookupCache", () => {
  test("asks once for many who wait, and again after the TTL", async () => {
    const { clock, store, asked, get } = setUp();
    expect(await Promise.all([get("real"), get("real"), get("real")])).toEqual(["value", "value", "value"]);
    store.set("real", "newer");
    clock.ms = 4_999;
    expect(await get("real")).toBe("value");
    clock.ms = 5_000;
    expect(await get("real")).toBe("newer");
    expect(asked).toHaveLength(2);
  });

  test("remembers what is missing, and finds it once it is there", async () => {
    const { clock, store, asked, get } = setUp();
    for (let n = 0; n < 1_000; n += 1) expect(await get("nobody")).toBeUndefined();
    expect(asked).toHaveLength(1);
    store.set("nobody", "somebody now");
    clock.ms = 5_000;
    expect(await get("nobody")).toBe("somebody now");
  });

  test("a flood of made-up keys costs no more than its budget, and the real key is served throughout", async () => {
    const { clock, asked, get } = setUp({ missesPerSecond: 10, missBurst: 50 });
    await get("real");
    let refused = 0;
    for (let second = 0; second < 20; second += 1) {
      for (let n = 0; n < 500; n += 1) {
        await get(`made-up-${second}-${n}`).catch(() => {
          refused += 1;
        });
      }
      expect(await get("real")).toBe("value");
      clock.ms += 1_000;
    }
    const lookups = asked.filter((key) => key !== "real").length;
    expect(lookups).toBeLessThanOrEqual(50 + 20 * 10);
    expect(refused).toBe(10_000 - lookups);
    await expect(setUp({ missBurst: 0 }).get("x")).rejects.toMatchObject({ code: "too-many-requests" });
  });

  test("a flood at one payer's expense costs no other payer anything", async () => {
    const { clock, store, asked, get } = setUp({ missesPerSecond: 20, missBurst: 200 });
    for (let n = 0; n < 100; n += 1) store.set(`b-${n}`, "value");
    await get("real", "a");
    let refused = 0;
    for (let tick = 0; tick < 100; tick += 1) {
      for (let n = 0; n < 20; n += 1)
        await get(`made-up-${tick}-${n}`, "a").catch(() => {
          refused += 1;
        });
      // Never seen before, and there: found at once, as is what `a` has of its own.
      expect(await get(`b-${tick}`, "b")).toBe("value");
      expect(await get("real", "a")).toBe("value");
      clock.ms += 100;
    }
    expect(refused).toBeGreaterThan(1_000);
    expect(asked.filter((key) => key.startsWith("made-up")).length).toBeLessThanOrEqual(200 + 10 * 20);
    // Made-up keys of `b` itself have a budget that nobody has touched.
    for (let n = 0; n < 200; n += 1) expect(await get(`nobody-${n}`, "b")).toBeUndefined();
    await expect(get("nobody-200", "b")).rejects.toMatchObject({ code: "too-many-requests" });
  });

  test("is paid before it is asked: many at once are no more than the budget allows", async () => {
    const { asked, get } = setUp({ missBurst: 50 });
    const answers = await Promise.allSettled(Array.from({ length: 1_000 }, (_, n) => get(`made-up-${n}`)));
    expect(asked).toHaveLength(50);
    expect(answers.filter((a) => a.status === "rejected")).toHaveLength(950);
  });

  test("gives back what was paid for something that is there, or for a store that failed", async () => {
    const { store, cache, get } = setUp({ missBurst: 2, missesPerSecond: 0 });
    for (let n = 0; n < 100; n += 1) {
      store.set(`is-${n}`, "there");
      expect(await get(`is-${n}`)).toBe("there");
      const failing = cache.get({ key: "x", payer: "one" }, () => Promise.reject(new Error("down")));
      await expect(failing).rejects.toThrow("down");
    }
  });

  test("a flood pushes out no real entry", async () => {
    const { asked, get } = setUp({ maxEntries: 10, missBurst: 1_000 });
    await get("real");
    for (let n = 0; n < 500; n += 1) await get(`made-up-${n}`);
    await get("real");
    expect(asked.filter((key) => key === "real")).toHaveLength(1);
  });

  test("a failure is not remembered", async () => {
    const { cache, get } = setUp();
    await expect(
      cache.get({ key: "real", payer: "one" }, () => Promise.reject(new Error("down"))),
    ).rejects.toThrow("down");
    expect(await get("real")).toBe("value");
  });

  test("forgets on demand, also a lookup under way", async () => {
    const { store, cache, get } = setUp();
    const early = get("real");
    store.set("real", "newer");
    cache.forget("real");
    expect(await get("real")).toBe("newer");
    await early;
  });
});
