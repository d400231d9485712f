import type { IndexDefinitions } from "@proveniq/db/queries";
import { describe, expect, test } from "vitest";
import { entriesOf } from "./entries.ts";
import { textValue, type Value } from "./values.ts";

const text = textValue("a");
const map = (fields: Record<string, Value>): Value => ({
  rank: 9,
  key: "",
  bytes: 0,
  fields: new Map(Object.entries(fields)),
});
const array = (...elements: Value[]): Value => ({ rank: 8, key: "", bytes: 0, elements });
const composite: IndexDefinitions["indexes"][number] = {
  collectionGroup: "items",
  queryScope: "COLLECTION",
  fields: [
    { fieldPath: "a", order: "ASCENDING" },
    { fieldPath: "b", order: "DESCENDING" },
  ],
};
const none = (collectionGroup: string, fieldPath: string) => ({ collectionGroup, fieldPath, indexes: [] });

describe("entriesOf", () => {
  test.each<[string, Record<string, Value>, Partial<IndexDefinitions>, string[]]>([
    ["a field, up and down", { a: text }, {}, ["items(a)", "items(a)"]],
    ["an exempt field", { a: text }, { fieldOverrides: [none("items", "a")] }, []],
    ["one exempt elsewhere", { a: text }, { fieldOverrides: [none("x", "a")] }, ["items(a)", "items(a)"]],
    ["an array, by element", { a: array(text, text) }, {}, ["items(a contains)", "items(a contains)"]],
    ["a map, by field", { m: map({ a: text }) }, {}, ["items(m.a)", "items(m.a)"]],
    ["an exempt map", { m: map({ a: text }) }, { fieldOverrides: [none("items", "m")] }, []],
    [
      "a composite index, exempt fields or not",
      { a: text, b: text },
      { indexes: [composite], fieldOverrides: [none("items", "a"), none("items", "b")] },
      ["items(a, b desc)"],
    ],
    [
      "a composite index with a field missing",
      { b: text },
      { indexes: [composite] },
      ["items(b)", "items(b)"],
    ],
    ["no fields", {}, { indexes: [composite] }, []],
  ])("%s", (_, fields, definitions, expected) => {
    const given = { indexes: [], fieldOverrides: [], ...definitions };
    const entries = entriesOf("tenants/t/items", new Map(Object.entries(fields)), given);
    expect(entries.map(({ index }) => index)).toEqual(expected);
  });
});
