import { beforeEach, describe, expect, it } from "vitest";
import { CachedDirectory, type CacheLimits } from "./cached-directory.ts";
import { exampleSnapshot } from "./testing/snapshot.ts";
import type { LookupResult } from "./types.ts";

let now = 0;
let asked: string[];
let placements: Map<string, string>;
/** What the source does: answer, refuse, or hang until told otherwise. */
let mode: "up" | "down" | "hanging";
let release: (() => void)[];
let version: number;
/** What the source says otherwise of hosts and cells. */
let headChange: object = {};
const evil = { residency: "global", api: "https://evil.example", bulk: "https://evil.example" };

const { tenants: _none, ...headOf } = exampleSnapshot();
const source = {
  readHead: async () => {
    asked.push("head");
    await passing();
    return { ...headOf, version, ...headChange };
  },
  readPlacement: async (id: string) => {
    asked.push(id);
    await passing();
    return placements.get(id) ?? null;
  },
};
async function passing(): Promise<void> {
  if (mode === "down") throw new Error("refused");
  if (mode === "hanging") await new Promise<void>((resolve) => release.push(resolve));
}

const origins = { zone: "proveniq.io", loopback: true };
const open = (limits: Partial<CacheLimits> = {}) =>
  new CachedDirectory({
    source,
    log: () => undefined,
    origins,
    limits: { ttlMs: 1_000, negativeMs: 300, timeoutMs: 30, pauseMs: 100, ...limits },
    now: () => now,
    random: () => 0.5,
  });
const started = async (limits: Partial<CacheLimits> = {}) => {
  const directory = open(limits);
  await directory.ready();
  return directory;
};
const placed = (result: LookupResult | Promise<LookupResult>) =>
  result instanceof Promise || typeof result === "string" ? result : `${result.cell.id};${result.epoch}`;
/** Let what is ready to happen happen. */
const settle = async () => {
  for (let n = 0; n < 20; n += 1) await Promise.resolve();
};
const questions = (id: string) => asked.filter((a) => a === id).length;

beforeEach(() => {
  now = 1_000_000;
  asked = [];
  placements = new Map([
    ["carrier-a", "enterprise-a;3"],
    ["atelier-nord", "eu;1"],
  ]);
  mode = "up";
  release = [];
  version = 1;
});

describe("while the source answers", () => {
  it("asks for a tenant once, and answers from memory from then on", async () => {
    const directory = await started();
    const first = directory.lookup("carrier-a");
    expect(first).toBeInstanceOf(Promise);
    expect(placed(await first)).toBe("enterprise-a;3");
    expect(placed(directory.lookup("carrier-a"))).toBe("enterprise-a;3");
    expect(questions("carrier-a")).toBe(1);
  });

  it("asks once however many want to know at the same time", async () => {
    const directory = await started();
    const all = await Promise.all(Array.from({ length: 100 }, async () => directory.lookup("carrier-a")));
    expect(new Set(all.map((r) => placed(r)))).toEqual(new Set(["enterprise-a;3"]));
    expect(questions("carrier-a")).toBe(1);
  });

  it("answers at once when a placement has become old, and asks once behind the caller's back", async () => {
    const directory = await started();
    await directory.lookup("carrier-a");
    placements.set("carrier-a", "consumer;4");
    now += 1_001;
    const many = Array.from({ length: 50 }, () => placed(directory.lookup("carrier-a")));
    expect(new Set(many)).toEqual(new Set(["enterprise-a;3"]));
    await settle();
    expect(placed(directory.lookup("carrier-a"))).toBe("consumer;4");
    expect(questions("carrier-a")).toBe(2);
  });

  it("believes for a moment that a tenant does not exist, and then asks again", async () => {
    const directory = await started();
    expect(await directory.lookup("new-tenant")).toBe("unknown");
    expect(directory.lookup("new-tenant")).toBe("unknown");
    placements.set("new-tenant", "eu;1");
    now += 301;
    expect(placed(await directory.lookup("new-tenant"))).toBe("eu;1");
  });

  it("reads hosts and cells again when they have become old", async () => {
    const directory = await started();
    version = 2;
    now += 1_001;
    expect(directory.hostTable()?.version).toBe(1);
    await settle();
    expect(directory.hostTable()?.version).toBe(2);
  });

  it("spreads what was learnt together, so that it is not asked for again together", async () => {
    let n = 0;
    const directory = new CachedDirectory({
      source,
      log: () => undefined,
      origins,
      limits: { ttlMs: 1_000 },
      now: () => now,
      random: () => (n++ % 10) / 10,
    });
    await directory.ready();
    const ids = Array.from({ length: 20 }, (_, i) => `tenant-${i}`);
    for (const id of ids) placements.set(id, "eu;1");
    await Promise.all(ids.map(async (id) => directory.lookup(id)));
    now += 1_000;
    asked = [];
    for (const id of ids) void directory.lookup(id);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.length).toBeLessThan(20);
  });
});

describe("what is not believed", () => {
  it.each([
    ["an older epoch", "eu;2"],
    ["garbage", "<html>"],
    ["an empty text", ""],
    ["an epoch that is none", "eu;0"],
  ])("%s for a tenant that is known", async (_, answer) => {
    const directory = await started();
    await directory.lookup("carrier-a");
    placements.set("carrier-a", answer);
    now += 1_001;
    void directory.lookup("carrier-a");
    await settle();
    expect(placed(directory.lookup("carrier-a"))).toBe("enterprise-a;3");
  });

  it("that all tenants are gone", async () => {
    const directory = await started();
    await directory.lookup("carrier-a");
    placements.clear();
    now += 1_001;
    void directory.lookup("carrier-a");
    await settle();
    expect(placed(directory.lookup("carrier-a"))).toBe("enterprise-a;3");
  });

  it("garbage for a tenant that is not known: nobody can say, which is not the same as no such tenant", async () => {
    placements.set("new-tenant", "{}");
    const directory = await started();
    expect(await directory.lookup("new-tenant")).toBe("unavailable");
  });

  it("a list of cells that are not the fleet's, or of a version that nobody can have reached", async () => {
    const directory = await started();
    for (const change of [
      { version: 900_000_000 },
      { topology: { ...headOf.topology, cells: { consumer: evil, eu: evil } } },
    ]) {
      Object.assign(headChange, { version: 2, ...change });
      now += 1_001;
      await directory.ready();
      expect(directory.hostTable()?.version).toBe(1);
      headChange = {};
    }
  });

  it("an older list of hosts", async () => {
    version = 5;
    const directory = await started();
    version = 4;
    now += 1_001;
    await directory.ready();
    expect(directory.hostTable()?.version).toBe(5);
  });
});

describe("while the source is down", () => {
  it("from the start, without anything kept: nobody can say, and the source is not stormed", async () => {
    mode = "down";
    const directory = await started();
    expect(directory.hostTable()).toBeUndefined();
    for (let n = 0; n < 50; n += 1) expect(await directory.lookup("carrier-a")).toBe("unavailable");
    expect(asked.length).toBeLessThanOrEqual(2);
  });

  it("from the start, with what an earlier process kept: known tenants are served at once", async () => {
    const earlier = await started();
    await earlier.lookup("carrier-a");
    const text = earlier.snapshot() ?? "";
    mode = "down";
    const directory = open();
    directory.restore(text);
    await directory.ready();
    expect(placed(directory.lookup("carrier-a"))).toBe("enterprise-a;3");
    expect(directory.hostTable()?.hosts.has("eu.proveniq.io")).toBe(true);
    expect(await directory.lookup("atelier-nord")).toBe("unavailable");
  });

  it("for an hour: known tenants never fail, never wait, and the source gets a question a pause", async () => {
    const directory = await started();
    await directory.lookup("carrier-a");
    mode = "down";
    asked = [];
    for (let second = 0; second < 3_600; second += 1) {
      now += 1_000;
      for (let n = 0; n < 5; n += 1) {
        expect(directory.hostTable()).toBeDefined();
        expect(placed(directory.lookup("carrier-a"))).toBe("enterprise-a;3");
      }
      await settle();
    }
    expect(asked.length).toBeLessThan(2 * 3_600 + 10);
    mode = "up";
    placements.set("carrier-a", "consumer;4");
    now += 1_000;
    void directory.lookup("carrier-a");
    await settle();
    expect(placed(directory.lookup("carrier-a"))).toBe("consumer;4");
  });

  it("and hangs: who is unknown waits for the time-out, who is known does not wait at all", async () => {
    const directory = await started();
    await directory.lookup("carrier-a");
    mode = "hanging";
    now += 1_001;
    expect(placed(directory.lookup("carrier-a"))).toBe("enterprise-a;3");
    expect(await directory.lookup("atelier-nord")).toBe("unavailable");
    for (const go of release) go();
  });
});

describe("bounds", () => {
  it("unknown ids never push out known tenants, nor fill the memory", async () => {
    const directory = await started({ maxUnknown: 10, maxEntries: 5 });
    await directory.lookup("carrier-a");
    for (let n = 0; n < 1_000; n += 1) await directory.lookup(`stranger-${n}`);
    expect(placed(directory.lookup("carrier-a"))).toBe("enterprise-a;3");
  });

  it("no more questions are under way than allowed", async () => {
    const directory = await started({ maxAsking: 3 });
    mode = "hanging";
    asked = [];
    const all = Array.from({ length: 10 }, async (_, n) => directory.lookup(`stranger-${n}`));
    expect(asked).toHaveLength(3);
    for (const go of release) go();
    expect((await Promise.all(all)).filter((r) => r === "unavailable")).toHaveLength(7);
  });

  it("the placement that was learnt first goes first", async () => {
    const directory = await started({ maxEntries: 2 });
    for (const id of ["a-one", "a-two", "a-three"]) {
      placements.set(id, "eu;1");
      await directory.lookup(id);
    }
    expect(directory.lookup("a-one")).toBeInstanceOf(Promise);
    expect(placed(directory.lookup("a-three"))).toBe("eu;1");
  });
});

describe("what a cell tells", () => {
  const held = { cellId: "enterprise-a", epoch: 3 };
  const known = async () => {
    const directory = await started({ againMs: 200 });
    await directory.lookup("carrier-a");
    asked = [];
    return directory;
  };

  it("is adopted for one move, and survives a source that lags", async () => {
    const directory = await known();
    expect(directory.adopt("carrier-a", held, { cellId: "consumer", epoch: 4 })).toBe(true);
    now += 1_001;
    void directory.lookup("carrier-a");
    await settle();
    expect(questions("carrier-a")).toBe(1);
    expect(placed(directory.lookup("carrier-a"))).toBe("consumer;4");
  });

  it("gives way to the next directory that is published, and is not kept across restarts", async () => {
    const directory = await known();
    expect(directory.adopt("carrier-a", held, { cellId: "consumer", epoch: 4 })).toBe(true);
    const restarted = open();
    restarted.restore(directory.snapshot() ?? "");
    expect(placed(restarted.lookup("carrier-a"))).toBe("enterprise-a;3");
    version = 2;
    now += 1_001;
    await directory.ready();
    expect(placed(directory.lookup("carrier-a"))).toBe("enterprise-a;3");
  });

  it("further ahead is not adopted, and the tenant is asked for again: once, and not for every lie", async () => {
    const directory = await known();
    now += 300;
    placements.set("carrier-a", "eu;5");
    for (let n = 0; n < 50; n += 1) {
      for (const epoch of [5, 4_294_967_295])
        expect(directory.adopt("carrier-a", held, { cellId: "eu", epoch })).toBe(false);
    }
    expect(placed(directory.lookup("carrier-a"))).toBe("enterprise-a;3");
    await settle();
    expect(placed(directory.lookup("carrier-a"))).toBe("eu;5");
    for (let n = 0; n < 50; n += 1)
      directory.adopt("carrier-a", { cellId: "eu", epoch: 5 }, { cellId: "consumer", epoch: 9 });
    await settle();
    expect(questions("carrier-a")).toBe(1);
  });

  it("of a cell that nobody knows has the cells read again", async () => {
    const directory = await known();
    now += 300;
    expect(directory.adopt("carrier-a", held, { cellId: "newest", epoch: 4 })).toBe(false);
    await settle();
    expect(questions("head")).toBe(1);
  });
});

describe("a mistake of the publisher", () => {
  it("is put right by the next publication, also an epoch that was far too high, and across a restart", async () => {
    placements.set("carrier-a", "enterprise-a;4294967295");
    const directory = await started();
    expect(placed(await directory.lookup("carrier-a"))).toBe("enterprise-a;4294967295");
    const restarted = open();
    restarted.restore(directory.snapshot() ?? "");
    placements.set("carrier-a", "enterprise-a;3");
    version = 2;
    for (const each of [directory, restarted]) {
      now += 1_001;
      await each.ready();
      void each.lookup("carrier-a");
      await settle();
      expect(placed(each.lookup("carrier-a"))).toBe("enterprise-a;3");
    }
  });

  it("is not believed when no table could hold it", async () => {
    placements.set("carrier-a", "enterprise-a;9999999999");
    const directory = await started();
    expect(await directory.lookup("carrier-a")).toBe("unavailable");
  });
});
