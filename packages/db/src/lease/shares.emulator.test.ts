import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { DatabasePool } from "../pool.ts";
import { kindOf } from "../testing/documents.ts";
import { firestoreShares } from "./firestore-shares.ts";
import { SharedBudget } from "./shared-budget.ts";

let pool: DatabasePool;
beforeAll(() => {
  pool = new DatabasePool({
    projectId: "shares",
    allow: ["(default)"],
    emulatorHost: inject("firestoreHost"),
  });
});
afterAll(() => pool.close());

const open = () => pool.open("(default)");
const budget = (holder: string, name = "imports") =>
  new SharedBudget({ store: firestoreShares(open, name), holder });

describe("a budget kept in Firestore", () => {
  test("is one's alone, then shared by two, and the other's again when one has stopped", async () => {
    const [a, b] = [budget("a"), budget("b")];
    await a.renewed();
    expect(a.share()).toBe(1);
    await b.renewed();
    expect(b.share()).toBe(0);
    await a.renewed();
    await b.renewed();
    expect([a.share(), b.share()]).toEqual([0.5, 0.5]);
    await b.close();
    expect(b.share()).toBe(0);
    await a.renewed();
    expect(a.share()).toBe(1);
    expect(kindOf("shares/imports")).toBe("shares/*");
  });

  test("by another name is another budget", async () => {
    const other = budget("c", "requests");
    await other.renewed();
    expect(other.share()).toBe(1);
    await other.close();
  });

  test("by many at once is never more than whole", async () => {
    const all = Array.from({ length: 11 }, (_, n) => budget(`m${n}`, "many"));
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(all.map((each) => each.renewed()));
      expect(all.reduce((sum, each) => sum + each.share(), 0)).toBeLessThanOrEqual(1);
    }
    await Promise.all(all.map((each) => each.renewed()));
    expect(Math.min(...all.map((each) => each.share()))).toBeGreaterThan(0.09);
  });
});
