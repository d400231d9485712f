import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { examineSteps, runSteps, type Step } from "./steps.ts";

/** A step over a set of what is done. */
function step(done: Set<string>, name: string, more: Partial<Step> = {}): Step {
  const work = async () => {
    done.add(name);
  };
  return { name, done: async () => done.has(name), work, mend: `do ${name}`, ...more };
}
const byHand = (done: Set<string>, name: string, isLate = false): Step => {
  const { work: _, ...rest } = step(done, name, { isLate });
  return rest;
};

describe("steps", () => {
  it("wait for a person, and for what failed, but not for what is late", async () => {
    const done = new Set<string>();
    const fails = step(done, "c", { work: () => Promise.reject(new Error("no")) });
    const waves = () => [[step(done, "a"), byHand(done, "late", true)], [byHand(done, "b")], [fails]];
    const ends = async () => (await runSteps(waves(), () => undefined)).map((r) => `${r.name} ${r.ended}`);
    expect(await ends()).toEqual(["a done", "late by hand", "b by hand", "c waits"]);
    done.add("b");
    expect(await ends()).toEqual(["a was done", "late by hand", "b was done", "c failed"]);
  });

  it("end in the same state wherever they were ended and run again", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(20), { maxLength: 3 }), { maxLength: 6 }),
        fc.nat(10),
        async (numbers, killed) => {
          const done = new Set<string>();
          let worked = 0;
          const waves = (until: number) =>
            numbers.map((wave, w) =>
              wave.map((n, at) => {
                const name = `${w}.${at}.${n}`;
                const work = async () => {
                  if (worked++ >= until) throw new Error("killed");
                  done.add(name);
                };
                return step(done, name, { work });
              }),
            );
          await runSteps(waves(killed), () => undefined);
          const again = await runSteps(waves(Number.POSITIVE_INFINITY), () => undefined);
          expect(again.every((r) => r.ended === "done" || r.ended === "was done")).toBe(true);
          expect(done.size).toBe(again.length);
        },
      ),
    );
  });

  it("are only looked at by a doctor, at a glance, with what mends each", async () => {
    const done = new Set(["a"]);
    const slow = step(done, "slow", {
      done: () => Promise.reject(new Error("slow")),
      glance: async () => true,
    });
    const broken = step(done, "x", { done: () => Promise.reject(new Error("403")) });
    expect(
      await examineSteps([
        [step(done, "a"), step(done, "b")],
        [slow, broken],
      ]),
    ).toEqual([
      { name: "a", ok: true, found: "done", advice: "do a" },
      { name: "b", ok: false, found: "not done", advice: "do b" },
      { name: "slow", ok: true, found: "done", advice: "do slow" },
      { name: "x", ok: false, found: "403", advice: "do x" },
    ]);
    expect([...done]).toEqual(["a"]);
  });
});
