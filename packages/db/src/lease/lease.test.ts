import { describe, expect, test } from "vitest";
import { LeaseLost, OwnLease } from "./lease.ts";

describe("a lease in the state that it guards", () => {
  const mine = new OwnLease("the outbox", "a", 1_000);
  const others = new OwnLease("the outbox", "b", 1_000).from(0);

  test.each([
    ["nobody holds it", null, 0, true],
    ["this process holds it", mine.from(0), 0, true],
    ["this process held it", mine.from(0), 5_000, true],
    ["another holds it", others, 999, false],
    ["another's time is over", others, 1_000, true],
  ])("may be taken or not when %s", (_, stored, now, may) => {
    expect(mine.mayTake(stored, now)).toBe(may);
  });

  test("lets only its holder change that state", () => {
    expect(() => mine.check(mine.from(0))).not.toThrow();
    for (const stored of [null, others]) expect(() => mine.check(stored)).toThrow(LeaseLost);
    expect(() => mine.check(others)).toThrow("another process has taken over the outbox");
  });
});
