import { describe, expect, test } from "vitest";
import { MissBudgets } from "./miss-budgets.ts";

function setUp(maxPayers = 3) {
  const clock = { ms: 0 };
  return { clock, budgets: new MissBudgets({ perSecond: 1, burst: 2, maxPayers, now: () => clock.ms }) };
}

describe("MissBudgets", () => {
  test("each payer has its own, and earns it back", () => {
    const { clock, budgets } = setUp();
    expect([budgets.take("a"), budgets.take("a"), budgets.take("a"), budgets.take("b")]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    clock.ms = 1_000;
    expect([budgets.take("a"), budgets.take("a")]).toEqual([true, false]);
    clock.ms = 0;
    expect(budgets.take("a")).toBe(false);
  });

  test("remembers few, those who paid last, and nobody who owes nothing", () => {
    const { budgets } = setUp();
    budgets.take("a");
    budgets.giveBack("a");
    expect(budgets.size).toBe(0);
    for (const payer of ["a", "b", "c", "d", "b"]) budgets.take(payer);
    expect(budgets.size).toBe(3);
    expect(budgets.take("b")).toBe(false);
  });
});
