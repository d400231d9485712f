import { describe, expect, test } from "vitest";
import { SharedBudget } from "./shared-budget.ts";
import { type Renewed, renew, whole } from "./shares.ts";
import { Model, type ModelOptions, seeded } from "./testing/model.ts";

const calm = (processes: number) => new Model({ random: seeded(1), processes, faults: false });
const sum = (shares: number[]) => shares.reduce((all, share) => all + share, 0);

describe("a budget among live instances", () => {
  test("is one instance's alone, at once", async () => {
    const model = calm(1);
    await model.run(300);
    expect(model.shares()).toEqual([1]);
  });

  test("of eleven is shared equally and whole within seconds, and never more than whole on the way", async () => {
    const model = calm(1);
    await model.run(10_000);
    for (let n = 0; n < 10; n += 1) model.start();
    await model.run(15_000);
    expect(model.shares()).toHaveLength(11);
    expect(Math.min(...model.shares())).toBeGreaterThan(0.0909);
    expect(sum(model.shares())).toBeGreaterThan(0.999);
    expect(model.most).toBeLessThanOrEqual(1);
  });

  test("goes back to the one that is left, at once when the others stopped in order", async () => {
    const model = calm(11);
    await model.run(30_000);
    const [, ...others] = model.processes;
    for (const each of others) each.alive = false;
    await model.run(25_000);
    expect(model.shares()).toEqual([1]);

    const orderly = calm(3);
    await orderly.run(30_000);
    for (const each of orderly.processes.slice(1)) {
      void each.budget.close();
      each.alive = false;
    }
    await orderly.run(6_000);
    expect(orderly.shares()).toEqual([1]);
  });

  test("costs one small change every few seconds, and an idle instance nothing", async () => {
    const model = calm(1);
    await model.run(60_000);
    expect(model.changes).toBeLessThanOrEqual(13);
    const [only] = model.processes;
    if (only !== undefined) only.active = false;
    const before = model.changes;
    await model.run(3_600_000);
    expect(model.changes).toBe(before);
    // The larger the fleet, the less often each renews: one document takes about one write a second for long.
    const many = calm(100);
    await many.run(300_000);
    const settled = many.changes;
    await many.run(100_000);
    expect((many.changes - settled) / 100).toBeLessThan(3);
    expect(sum(many.shares())).toBeGreaterThan(0.99);
  });

  test("runs out by itself when the database is away, and is there again once it answers", async () => {
    let down = false;
    const clock = { ms: 0 };
    const troubles: unknown[] = [];
    const budget = new SharedBudget({
      store: {
        change: async (change) => {
          if (down) throw new Error("away");
          return change({}, clock.ms);
        },
      },
      holder: "p",
      clocks: { monotonic: () => clock.ms, wall: () => clock.ms },
      onTrouble: (error) => troubles.push(error),
    });
    await budget.renewed();
    expect(budget.share()).toBe(1);
    down = true;
    for (; clock.ms < 60_000; clock.ms += 500) {
      budget.share();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([budget.share(), troubles.length]).toEqual([0, 1]);
    await budget.renewed();
    down = false;
    clock.ms += 2_000;
    await budget.renewed();
    expect(budget.share()).toBe(1);
  });
});

describe("renew", () => {
  test("never grows into what another may still use, and says at once what it has let go", () => {
    const book = { a: { parts: whole, until: 10_000 } };
    const first = renew(book, { holder: "b", inEffect: 0, now: 0 });
    expect([first.parts, first.fair]).toEqual([0, whole / 2]);
    // `a` hears of it, and may use all until then: only its next renewal says that it uses less.
    const heard = renew(first.book, { holder: "a", inEffect: whole, now: 1 });
    expect([heard.parts, heard.book["a"]?.parts, heard.renewMs]).toEqual([whole / 2, whole, 0]);
    const told = renew(heard.book, { holder: "a", inEffect: whole / 2, now: 2 });
    expect(told.book["a"]?.parts).toBe(whole / 2);
    expect(renew(told.book, { holder: "b", inEffect: 0, now: 3 }).parts).toBe(whole / 2);
  });

  test("forgets who has run out, and believes nobody who thinks to hold more than is free", () => {
    const { book, parts } = renew(
      { gone: { parts: whole, until: 99 }, b: { parts: 900_000, until: 900 } },
      { holder: "a", inEffect: whole, now: 100 },
    );
    expect([Object.keys(book), parts]).toEqual([["b", "a"], 100_000]);
  });
});

describe("hunted, with kills, freezes, set and skewed clocks, lost and slow requests", () => {
  const hunt = async (schedules: number, more: Partial<ModelOptions> = {}) => {
    const found: { seed: number; most: number }[] = [];
    for (let seed = 1; seed <= schedules; seed += 1) {
      const random = seeded(seed);
      const processes = 2 + Math.floor(random() * 11);
      const model = new Model({ random, processes, faults: true, ...more });
      await model.run(90_000);
      if (model.most > 1 + 1e-9) found.push({ seed, most: model.most });
    }
    return found;
  };

  test("all together never use more than the whole", { timeout: 60_000 }, async () => {
    expect(await hunt(150)).toEqual([]);
  });

  const mutants: Record<string, (renewed: Renewed) => Renewed> = {
    "divides by who is there": (renewed) => ({ ...renewed, parts: renewed.fair }),
    "believes its lease for longer than it lasts": (renewed) => ({
      ...renewed,
      leaseMs: renewed.leaseMs * 1.5,
    }),
  };
  test.each(Object.entries(mutants))("one that %s is found", async (_, mutant) => {
    expect((await hunt(20, { mutant })).length).toBeGreaterThan(0);
  });
});
