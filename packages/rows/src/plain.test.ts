import { itemInput } from "@proveniq/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isPlainItem } from "./plain.ts";

const good = {
  title: "Ring",
  description: "Two stones",
  category: "jewellery",
  condition: "good",
  externalId: "P-1/2 b",
  marketKey: "diamond:ideal:e",
  insuredValue: { amountMinor: 32_600, currency: "USD" },
  purchasePrice: { amountMinor: 0, currency: "JPY" },
  acquiredOn: "1999-02-28",
  serialNumber: "S1",
  location: "Ulm",
  attributes: { carat: 0.23, cut: "Ideal", certified: true },
  ownerId: "u_8f2kq0",
};

describe("a plain item", () => {
  test("is what good rows look like", () => {
    expect(isPlainItem(good)).toBe(true);
    expect(isPlainItem({ title: "x", category: "other" })).toBe(true);
  });

  const texts = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 20 }),
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.constantFrom("", " ", "\u00a0", "\u0000", "a\u0000", " a", "a ", "\ud800", "a".repeat(301), "\u200b"),
  );
  const odd = fc.oneof(
    texts,
    fc.double(),
    fc.boolean(),
    fc.constantFrom(null, undefined, -0, 1n, [], {}, { amountMinor: -0, currency: "EUR" }),
    fc.record({
      amountMinor: fc.oneof(fc.integer(), fc.double()),
      currency: fc.constantFrom("EUR", "eur", "XXX"),
    }),
    fc.constantFrom("2023-02-29", "2024-02-29", "0000-01-01", "1999-13-01", "1999-1-1", "1999-01-32"),
    fc.dictionary(
      fc.oneof(texts, fc.constantFrom("a", "B_1", "1a", "__proto__")),
      fc.oneof(texts, fc.double()),
      {
        maxKeys: 4,
      },
    ),
  );
  const names = fc.constantFrom(...Object.keys(good), "version", "__proto__", "constructor");

  test.each([1, 3])("is taken by the schema as it is, whatever was put in it (%i fields)", (changes) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(names, odd), { minLength: 1, maxLength: changes }), (edits) => {
        const item: Record<string, unknown> = { ...good };
        for (const [name, value] of edits) {
          if (value === undefined) delete item[name];
          else Object.defineProperty(item, name, { value, enumerable: true, configurable: true });
        }
        if (!isPlainItem(item)) return;
        const parsed = itemInput.safeParse(item);
        expect(parsed.success).toBe(true);
        expect(parsed.data).toStrictEqual(item);
      }),
      { numRuns: 3_000 },
    );
  });

  test.each([
    ["title", "x".repeat(301)],
    ["title", undefined],
    ["category", "ring"],
    ["externalId", "a "],
    ["externalId", ""],
    ["marketKey", "A"],
    ["marketKey", "a".repeat(121)],
    ["insuredValue", { amountMinor: 1.5, currency: "USD" }],
    ["insuredValue", { amountMinor: 1, currency: "usd" }],
    ["insuredValue", { amountMinor: 1, currency: "USD", more: 1 }],
    ["acquiredOn", "1999-02-30"],
    ["attributes", { "no name": 1 }],
    ["attributes", { a: Number.NaN }],
    ["attributes", Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`a${n}`, 1]))],
    ["ownerId", "-"],
    ["version", 1],
  ])("is none with %s %o", (name, value) => {
    expect(isPlainItem({ ...good, [name]: value })).toBe(false);
  });
});
