import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { coveredBy, type IndexDefinitions, indexDefinitions } from "./coverage.ts";
import { itemFilters, itemListShape, queryFiles, queryShapes } from "./shapes.ts";

const file = new URL("../../../../infra/firestore.indexes.json", import.meta.url);
const definitions = indexDefinitions.parse(JSON.parse(readFileSync(file, "utf8")));
const exempt = (collection: string) =>
  definitions.fieldOverrides
    .filter((o) => o.collectionGroup === collection && o.indexes.length === 0)
    .map((o) => o.fieldPath)
    .sort();

describe("infra/firestore.indexes.json", () => {
  test("serves every query shape the code can produce", () => {
    expect(queryShapes.filter((shape) => !coveredBy(shape, definitions))).toEqual([]);
    expect(queryShapes.filter((shape) => shape.collection === "items")).toHaveLength(17);
  });

  test("has no composite index that could go", () => {
    const idle = definitions.indexes.filter((_, n) => {
      const without = { ...definitions, indexes: definitions.indexes.filter((__, m) => m !== n) };
      return queryShapes.every((shape) => coveredBy(shape, without));
    });
    expect(idle).toEqual([]);
  });

  test("takes the automatic index from every field of an item that no query needs, and from no other", () => {
    const stored = ["body", "createdAt", "importSource", ...itemFilters];
    const needed = stored.filter((field) => {
      const override = { collectionGroup: "items", fieldPath: field, indexes: [] };
      const without = { ...definitions, fieldOverrides: [...definitions.fieldOverrides, override] };
      return queryShapes.some((shape) => !coveredBy(shape, without));
    });
    expect(needed.sort()).toEqual(["category", "externalId", "importSource", "marketKey"]);
    expect(exempt("items")).toEqual(stored.filter((field) => !needed.includes(field)).sort());
  });

  test("indexes nothing long of receipts, outbox pages and imports, and lets what is old expire", () => {
    expect(exempt("idempotency")).toEqual(["digest", "expiresAt", "response", "writeId"]);
    expect(exempt("outbox")).toEqual(["events", "page", "writtenAt"]);
    expect(exempt("imports")).toEqual([
      "engine",
      "expiresAt",
      "finish",
      "input",
      "seq",
      "undo",
      "updatedAt",
      "warnings",
    ]);
    expect(exempt("staged")).toEqual(["bytes", "counts", "digest", "expiresAt", "parts", "updatedAt"]);
    expect(exempt("rows")).toEqual(["expiresAt", "lines"]);
    expect(exempt("plan")).toEqual(["body", "expiresAt", "head"]);
    expect(exempt("pages")).toEqual(["counts", "created", "expiresAt", "replaced", "undone", "writeId"]);
    expect(exempt("chunks")).toEqual(expect.arrayContaining(["counts", "expiresAt", "ids", "updatedAt"]));
    expect(exempt("reports")).toEqual(["expiresAt", "lines"]);
    const expiring = definitions.fieldOverrides.filter((o) => o.ttl === true);
    expect(expiring.map((o) => `${o.collectionGroup}.${o.fieldPath}`)).toEqual(
      ["idempotency", "imports", "chunks", "reports", "importTombstones"]
        .concat("staged", "rows", "plan", "pages", "replaced", "progress", "undoReports")
        .map((c) => `${c}.expiresAt`),
    );
  });

  test("begins no index with a field that only grows, and lists each definition once", () => {
    const monotonic = ["createdAt", "updatedAt", "expiresAt", "seq", "asOf", "writtenAt"];
    for (const index of definitions.indexes) {
      expect(index.fields[0]?.fieldPath).toBe("ownerId");
      expect(monotonic).toContain(index.fields.at(-1)?.fieldPath);
    }
    const names = [
      ...definitions.indexes.map((i) => `${i.collectionGroup} ${JSON.stringify(i.fields)}`),
      ...definitions.fieldOverrides.map((o) => `${o.collectionGroup} ${o.fieldPath}`),
    ];
    expect(new Set(names).size).toBe(names.length);
  });
});

test("queries with filters or an order are built in the listed files only", () => {
  const root = new URL("../", import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .filter((file) =>
      /\.(where|orderBy|collectionGroup|aggregate|count)\(/.test(readFileSync(new URL(file, root), "utf8")),
    );
  expect(files.filter((file) => !queryFiles.includes(file))).toEqual([]);
  expect(files).toContain("items/list.ts");
});

describe("coveredBy", () => {
  const owner = itemListShape({ ownerId: "o" });
  const both = itemListShape({ ownerId: "o", category: "c" });
  const composite = (
    last: "ASCENDING" | "DESCENDING",
    ...equal: string[]
  ): IndexDefinitions["indexes"][number] => ({
    collectionGroup: "items",
    queryScope: "COLLECTION",
    fields: [
      ...equal.map((fieldPath) => ({ fieldPath, order: "ASCENDING" as const })),
      { fieldPath: "createdAt", order: last },
    ],
  });
  const given = (...indexes: IndexDefinitions["indexes"]): IndexDefinitions => ({
    indexes,
    fieldOverrides: [],
  });
  const taken = (fieldPath: string): IndexDefinitions["fieldOverrides"][number] => ({
    collectionGroup: "items",
    fieldPath,
    indexes: [],
  });

  test("equality and sort need a composite index in the same direction", () => {
    expect(coveredBy(owner, given())).toBe(false);
    expect(coveredBy(owner, given(composite("DESCENDING", "ownerId")))).toBe(true);
    expect(coveredBy(owner, given(composite("ASCENDING", "ownerId")))).toBe(false);
    expect(
      coveredBy(owner, given({ ...composite("DESCENDING", "ownerId"), collectionGroup: "others" })),
    ).toBe(false);
  });

  test("indexes with the same sort are merged, in any order of their equal fields", () => {
    expect(coveredBy(both, given(composite("DESCENDING", "ownerId")))).toBe(false);
    expect(
      coveredBy(both, given(composite("DESCENDING", "ownerId"), composite("DESCENDING", "category"))),
    ).toBe(true);
    expect(coveredBy(both, given(composite("DESCENDING", "category", "ownerId")))).toBe(true);
    expect(coveredBy(owner, given(composite("DESCENDING", "category", "ownerId")))).toBe(false);
    expect(
      coveredBy(both, given(composite("DESCENDING", "ownerId"), composite("ASCENDING", "category"))),
    ).toBe(false);
  });

  test("equality alone is served by automatic indexes, unless they are taken away", () => {
    const shape = itemListShape({ category: "c", marketKey: "m" });
    expect(coveredBy(shape, given())).toBe(true);
    expect(coveredBy(shape, { indexes: [], fieldOverrides: [taken("marketKey")] })).toBe(false);
    expect(coveredBy(itemListShape({}), { indexes: [], fieldOverrides: [taken("marketKey")] })).toBe(true);
  });

  test("a sort alone is served by an automatic index, unless it is taken away", () => {
    const shape = { ...owner, equal: [] };
    expect(coveredBy(shape, given())).toBe(true);
    expect(coveredBy(shape, { indexes: [], fieldOverrides: [taken("createdAt")] })).toBe(false);
  });
});
