import type { ItemInput } from "@proveniq/contracts";
import { describe, expect, test } from "vitest";
import { type DecideOptions, decide } from "./decide.ts";
import { type StagedRow, textOf } from "./rows.ts";

type Owned = ItemInput & { ownerId: string };
const options: DecideOptions = { tenantId: "carrier", source: "book", seq: 7, governed: "all" };
const partly: DecideOptions = {
  ...options,
  governed: { fields: ["externalId", "title", "category"], attributes: ["carat"] },
};
const item = (more: Partial<Owned> = {}): Owned => ({
  externalId: "A",
  title: "A",
  category: "art",
  ownerId: "carrier",
  ...more,
});
const there = (input: Owned, source = "book") => ({ input, imported: { source, job: 1, row: 1 } });
let at = 0;
const up = (more: Partial<ItemInput> = {}): StagedRow => {
  const { ownerId: _, ...input } = item();
  return { chunk: 1, at: at++, row: at, op: "u", text: textOf({ ...input, ...more }) };
};
const del = (): StagedRow => ({ chunk: 1, at: at++, row: at, op: "d", text: "" });
const name = (): StagedRow => ({ chunk: 1, at: at++, row: at, op: "n", text: "" });
const many = (count: number, prefix: string) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`${prefix}${n}`, n]));

describe("rows that name one thing are applied in the order of the file", () => {
  test.each([
    ["nothing", undefined, [name()], "none", 0],
    ["a new one", undefined, [up()], "created", 0],
    ["the same", there(item()), [up()], "unchanged", 0],
    ["the same, of another source", there(item(), "other"), [up()], "touched", 0],
    ["the same twice", undefined, [up(), up()], "created", 1],
    ["another", there(item()), [up({ title: "B" })], "changed", 0],
    ["there and back", there(item()), [up({ title: "B" }), up()], "unchanged", 1],
    ["a deletion", there(item()), [del()], "deleted", 0],
    ["a deletion of nothing", undefined, [del()], "absent", 0],
    ["come and gone", undefined, [up(), del()], "absent", 1],
    ["gone and come", there(item()), [del(), up()], "unchanged", 1],
    ["deleted twice", there(item()), [del(), del()], "deleted", 1],
    ["refused after a good one", there(item()), [up({ title: "B" }), name()], "changed", 0],
  ] as const)("%s", (_, existing, rows, kind, superseded) => {
    const decision = decide(existing, rows, options);
    expect([decision.kind, decision.superseded.length, decision.refused.length]).toEqual([
      kind,
      superseded,
      0,
    ]);
  });

  test("a deletion takes what the import does not govern with it, and the owner", () => {
    const existing = there(
      item({ description: "by hand", ownerId: "ann", attributes: { carat: 1, cut: "Ideal" } }),
    );
    expect(decide(existing, [up({ attributes: { carat: 2 } })], partly).after?.input).toEqual(
      item({ description: "by hand", ownerId: "ann", attributes: { cut: "Ideal", carat: 2 } }),
    );
    expect(decide(existing, [del(), up({ attributes: { carat: 2 } })], partly).after?.input).toEqual(
      item({ attributes: { carat: 2 } }),
    );
  });

  test("a row that makes too many attributes is refused, and the one before it decides", () => {
    const existing = there(item({ attributes: many(49, "own") }));
    const few = up({ title: "few", attributes: { carat: 1 } });
    const more = up({ title: "more", attributes: { carat: 1, extra: 1 } });
    const decision = decide(existing, [few, more], partly);
    expect(decision).toMatchObject({ kind: "changed", decides: few, refused: [more], superseded: [] });
    // Beside nothing there is room.
    expect(decide(existing, [few, del(), more], partly)).toMatchObject({ decides: more, refused: [] });
    expect(decide(there(item({ attributes: many(50, "own") })), [more], partly)).toMatchObject({
      kind: "none",
      refused: [more],
    });
  });

  test("the mark is that of the row that decides", () => {
    const rows = [up(), up({ title: "B" })];
    const [, last] = rows;
    expect(decide(undefined, rows, options).after?.imported).toEqual({
      source: "book",
      job: 7,
      row: 8192 + (last?.at ?? 0),
    });
  });
});
