import { importInput } from "@proveniq/contracts";
import { chunkReader } from "@proveniq/rows";
import { expect, test } from "vitest";
import { readRows, rowsOf } from "./read.ts";

const input = importInput.parse({
  source: "book",
  format: { type: "csv", delimiter: ",", columns: ["id", "carat"], header: "first-chunk" },
  mapping: {
    fields: { externalId: { column: "id" }, title: { column: "id" }, category: { constant: "art" } },
    attributes: {
      carat: { type: "number", column: "carat", number: { decimal: ".", grouping: "none" } },
    },
  },
});
const lines = ["A,1", "B,x", "C,3", ",", "D,4"];
const bytes = Buffer.from(`id,carat\n${lines.join("\n")}\n`);

test("rows that take long are read one at a time, and others have their turn after each", async () => {
  const chunk = chunkReader(input)(bytes, 1);
  const pages: number[] = [];
  let clock = 0;
  const watched = {
    ...chunk,
    read: (...args: Parameters<typeof chunk.read>) => {
      const page = chunk.read(...args);
      pages.push(page.length);
      return page;
    },
  };
  const place = { chunk: 1, firstRow: 1 };
  const slowly = await readRows(watched, place, () => (clock += 21));
  expect(pages).toEqual([1, 1, 1, 1, 1]);
  expect(slowly).toEqual(await readRows(chunk, place));
  expect(slowly.counts).toMatchObject({ rows: 5, valid: 3, failed: 1, blank: 1 });
});

test("a chunk that is opened again has its rows as they came", () => {
  const row = rowsOf(input, 1, bytes);
  expect([row(0), row(1), row(4), row(5)]).toEqual([
    { cells: ["A", "1"] },
    { cells: ["B", "x"] },
    { cells: ["D", "4"] },
    {},
  ]);
});
