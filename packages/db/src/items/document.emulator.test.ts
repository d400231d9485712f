import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { anyInput } from "../testing/items.ts";
import { testCell } from "../testing/tenants.ts";
import { defined, etagOf, fromDocument, type ItemRecord, toDocument } from "./document.ts";

let cell: Awaited<ReturnType<typeof testCell>>;
beforeAll(async () => {
  cell = await testCell(inject("firestoreHost"), "db-documents");
});
afterAll(() => cell.close());

const record = (input: ItemRecord["input"]): ItemRecord => ({
  input,
  version: 3,
  writeId: "b7Jq2mX9aL0cV4tR8sWd",
  createdAt: new Date("2026-01-01T00:00:00.001Z"),
  updatedAt: new Date("2026-01-02T03:04:05.678Z"),
});

/** JSON has no minus zero, and no client is ever shown one. */
const withoutMinusZero = <T>(value: T): T =>
  JSON.parse(JSON.stringify(value), (_, each: unknown) => (each === 0 ? 0 : each));

describe("the document of an item", () => {
  test("gives back exactly what was stored: numbers, text of any script, empty maps", async () => {
    let n = 0;
    await fc.assert(
      fc.asyncProperty(anyInput, async (input) => {
        const stored = record({ ...input, ownerId: input.ownerId ?? "owner" });
        const ref = cell.firestore.doc(`tenants/round/items/roundtrip${String(++n).padStart(12, "0")}`);
        await ref.set(toDocument(stored));
        expect(fromDocument(await ref.get())).toStrictEqual({
          ...stored,
          input: withoutMinusZero(stored.input),
        });
      }),
      { numRuns: 100 },
    );
  });

  test("has the fields that queries name and one text, and no field without a value", async () => {
    const input = { title: "Ring", category: "other", ownerId: "o", description: undefined } as const;
    const { body, ...named } = toDocument(record(defined(input)));
    expect(Object.keys(named).sort()).toEqual(["category", "createdAt", "ownerId"]);
    expect(Object.keys(JSON.parse(body)).sort()).toEqual(["title", "updatedAt", "version", "writeId"]);
    const imported = {
      ...record({ ...defined(input), externalId: "X" }),
      imported: { source: "nightly", job: 2, row: 7 },
    };
    const document = toDocument(imported);
    expect(Object.keys(document).sort()).toEqual([
      "body",
      "category",
      "createdAt",
      "importSource",
      "ownerId",
    ]);
    expect(JSON.parse(document["body"])).toMatchObject({ externalId: "X", job: 2, row: 7 });
    expect(toDocument(record({ ...defined(input), externalId: "X" }))).toMatchObject({ externalId: "X" });
  });

  test("that is missing is nothing, and one that is no item is an error", async () => {
    const ref = cell.firestore.doc("tenants/round/items/abcdefghijklmnopqrst");
    expect(fromDocument(await ref.get())).toBeUndefined();
    await ref.set({ title: "no item" });
    const snapshot = await ref.get();
    expect(() => fromDocument(snapshot)).toThrow("an item without a body");
  });

  test("makes a tag of version and write", () => {
    expect(etagOf({ version: 12, writeId: "b7Jq2mX9aL0cV4tR8sWd" })).toBe('"12-b7Jq2mX9"');
  });
});
