import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { coveredBy, indexDefinitions, queryShapes } from "../queries.ts";
import { someValue } from "../testing/market.ts";
import { toValueDocument } from "./values.ts";

const file = new URL("../../../../infra/firestore.market-indexes.json", import.meta.url);
const definitions = indexDefinitions.parse(JSON.parse(readFileSync(file, "utf8")));
const exempt = (collection: string) =>
  definitions.fieldOverrides.filter((o) => o.collectionGroup === collection).map((o) => o.fieldPath);

test("every query on a market database is served, and each override there is needed or spares an index", () => {
  const shapes = queryShapes.filter(({ collection }) => collection === "values" || collection === "changes");
  expect(shapes.map((shape) => coveredBy(shape, definitions))).toEqual(shapes.map(() => true));
  expect(shapes).toHaveLength(2);
  expect(definitions.fieldOverrides.filter((o) => o.indexes.length > 0)).toEqual([]);
});

test("of a value only its bucket is indexed, and of pages and parts nothing", () => {
  const stored = Object.keys(toValueDocument({ ...someValue(1, 1), sequence: 1 }));
  expect(exempt("values").sort()).toEqual(stored.filter((field) => field !== "bucket").sort());
  expect(exempt("changes").sort()).toEqual(["page", "publishedAt", "sequence"]);
  expect([exempt("parts"), exempt("centre")]).toEqual([["part"], ["digests"]]);
});
