import type { ItemInput } from "@proveniq/contracts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { eventOf } from "../items/changes.ts";
import { documentOf, hasContent, toDocument } from "../items/document.ts";
import { decide, decideSame } from "./decide.ts";
import { inputOf, markOf, type StagedRow, textOf, wantedOf } from "./rows.ts";

const text = fc.string({ minLength: 1, maxLength: 20, unit: "binary" });
const money = fc.record(
  { amountMinor: fc.nat(), currency: fc.constantFrom("USD", "EUR") },
  { noNullPrototype: true },
);
const anyInput = fc.record(
  {
    externalId: text,
    title: text,
    category: fc.constantFrom("art" as const, "watch" as const),
    description: text,
    condition: fc.constantFrom("good" as const, "poor" as const),
    marketKey: fc.constantFrom("a:b", "c"),
    insuredValue: money,
    location: text,
    attributes: fc.dictionary(
      fc.constantFrom("a", "b", "version"),
      fc.oneof(text, fc.integer(), fc.boolean()),
      { noNullPrototype: true },
    ),
    ownerId: fc.constantFrom("ann", "ben"),
  },
  { requiredKeys: ["externalId", "title", "category"], noNullPrototype: true },
);
const rowOf = (input: ItemInput): StagedRow => ({ chunk: 2, at: 3, row: 9, op: "u", text: textOf(input) });
const options = { tenantId: "carrier", source: "book", seq: 7, governed: "all" as const };
const at = new Date(0);
const history = { version: 1, writeId: "w".repeat(20), createdAt: at, updatedAt: at };

test("a kept row gives back what it asked for", () => {
  fc.assert(
    fc.property(anyInput, (input) => {
      expect(inputOf(rowOf(input))).toEqual(input);
    }),
  );
});

test("a thing that a row makes has the document and the event that it has when the row is read whole", () => {
  fc.assert(
    fc.property(anyInput, (input) => {
      const row = rowOf(input);
      const { changed, facts, head } = wantedOf(row);
      const { ownerId = "carrier", category, marketKey } = facts;
      const whole = { ...input, ownerId };
      const imported = { source: "book", job: 7, row: markOf(row) };
      const named = { ownerId, category, ...(marketKey === undefined ? {} : { marketKey }) };
      const made = documentOf({ named, head }, { ...history, imported });
      expect(made).toEqual(toDocument({ input: whole, ...history, imported }));
      expect(changed).toEqual(eventOf("id", undefined, whole).changed);
      expect({ ...facts, ownerId }).toEqual(eventOf("id", undefined, whole).after);
      expect(hasContent(made, { named, head })).toBe(true);
    }),
  );
});

test("what is taken for the same by its document is the same, and the same is known by it", () => {
  fc.assert(
    fc.property(anyInput, anyInput, fc.boolean(), (before, after, alike) => {
      const input = { ...before, ownerId: before.ownerId ?? "carrier" };
      const imported = { source: "book", job: 1, row: 1 };
      const there = toDocument({ input, ...history, imported });
      const rows = [rowOf(alike ? before : after)];
      const known = decideSame(there, rows, options) !== undefined;
      const same = decide({ input, imported }, rows, options).kind === "unchanged";
      expect([known && !same, alike && !known]).toEqual([false, false]);
      expect(decideSame({ ...there, importSource: "other" }, rows, options)).toBeUndefined();
    }),
  );
});
