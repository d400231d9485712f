import { readFileSync } from "node:fs";
import { importMapping, marketValue, parseFile } from "@proveniq/contracts";
import { compileMapping } from "@proveniq/rows";
import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import { type Diamond, diamondKey, diamonds } from "../../examples/market/diamonds.ts";
import { percentile, valuesOf } from "../../examples/market/values.ts";

const example = (name: string) => readFileSync(new URL(`../../examples/${name}`, import.meta.url), "utf8");
const [columns = [], ...rows]: string[][] = parse(example("data/diamonds.csv"));

test("the import's mapping and the values' rule give every stone the same market key", async () => {
  const mapping = parseFile(importMapping, "diamonds.json", example("import/diamonds.json"));
  const map = compileMapping(mapping, columns);
  const stones = await diamonds();
  expect(stones).toHaveLength(rows.length);
  const differing = rows.flatMap((cells, n) => {
    const mapped = map(cells, n + 1);
    const stone = stones[n];
    if (mapped.op !== "upsert" || stone === undefined) return [cells];
    return mapped.input.marketKey === diamondKey(stone) ? [] : [[mapped.input.marketKey, diamondKey(stone)]];
  });
  expect(differing).toEqual([]);
});

test("the committed values are those that the method computes, and can be published", async () => {
  const computed = valuesOf(await diamonds(), "2026-11-01");
  const committed = example("market/diamonds.ndjson").trimEnd().split("\n");
  expect(committed).toEqual(computed.map((value) => JSON.stringify(value)));
  expect(computed.filter((value) => !marketValue.safeParse(value).success)).toEqual([]);
});

test.each([
  [[10], 50, 10],
  [[10, 20], 50, 15],
  [[1, 2, 3, 4, 5], 10, 1],
  [[0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000], 90, 900],
])("of %j the %i-th percentile is %i", (sorted, p, wanted) => {
  expect(percentile(sorted, p)).toBe(wanted);
});

test("a band of carats begins with its lower edge, and a grade needs five prices", () => {
  const stone: Diamond = {
    carat: 0.6,
    cut: "Very Good",
    color: "E",
    clarity: "VS1",
    depth: 1,
    table: 1,
    priceMinor: 100,
  };
  const bands = [0.59, 0.6, 0.79, 0.8, 1, 5.01].map((carat) =>
    diamondKey({ ...stone, carat })
      .split(":")
      .at(-1),
  );
  expect(bands).toEqual(["0.40-0.59", "0.60-0.79", "0.60-0.79", "0.80-0.99", "1.00-1.19", "5.00-5.19"]);
  expect(diamondKey(stone)).toBe("diamond:very-good:e:vs1:0.60-0.79");
  expect(
    valuesOf(
      Array.from({ length: 4 }, () => stone),
      "2026-11-01",
    ),
  ).toEqual([]);
  expect(
    valuesOf(
      Array.from({ length: 5 }, () => stone),
      "2026-11-01",
    ),
  ).toMatchObject([{ sampleSize: 5 }]);
});
