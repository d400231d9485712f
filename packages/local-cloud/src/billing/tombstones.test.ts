import fc from "fast-check";
import { expect, test } from "vitest";
import { Transactions } from "./limits.ts";
import { Tombstones } from "./tombstones.ts";

const id = fc.integer({ min: 0, max: 60 }).map((n) => `p${String(n).padStart(2, "0")}`);

test("a scan passes exactly those deleted names that lie behind its start and not behind its end", () => {
  const step = fc.record({ deletes: fc.boolean(), id });
  const end = fc.option(id, { nil: undefined });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), end, end, (steps, after, until) => {
      const tombstones = new Tombstones();
      const model = new Set<string>();
      for (const { deletes, id: name } of steps) {
        if (deletes) {
          tombstones.deleted("outbox", name);
          model.add(name);
        } else {
          tombstones.written("outbox", name);
          model.delete(name);
        }
      }
      const expected = [...model].filter((n) => n > (after ?? "") && n <= (until ?? "~")).length;
      expect(tombstones.between("outbox", after, until)).toBe(expected);
      expect(tombstones.between("other", after, until)).toBe(0);
    }),
  );
});

test.each([
  { what: "used in time", uses: [30_000, 80_000, 130_000], over: false },
  { what: "idle for over 60 s", uses: [60_001], over: true },
  { what: "just not idle", uses: [60_000, 120_000], over: false },
  { what: "open for over 270 s", uses: [60_000, 120_000, 180_000, 240_000, 270_001], over: true },
])("a transaction $what: over is $over", ({ uses, over }) => {
  const transactions = new Transactions();
  const tx = Buffer.from([1, 2]);
  transactions.began(tx, 0);
  const answers = uses.map((at) => transactions.use(tx, at));
  expect(answers.some((refusal) => refusal !== undefined)).toBe(over);
  expect(answers.slice(0, -1).every((refusal) => refusal === undefined)).toBe(true);
  transactions.ended(tx);
  expect(transactions.use(tx, 1e9)).toBeUndefined();
});
