import { readdirSync, readFileSync } from "node:fs";
import { MarketReader } from "@proveniq/db/market/reader";
import { expect, test } from "vitest";

const root = new URL("../", import.meta.url);
const sources = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.startsWith("testing/"),
);

test("only the replicator can reach what writes market values", () => {
  const writing = sources.filter((file) =>
    /@proveniq\/db\/market\/(replica|drift|publishing)"/.test(readFileSync(new URL(file, root), "utf8")),
  );
  expect(writing.length).toBeGreaterThan(0);
  expect(writing.filter((file) => !file.startsWith("replicate/"))).toEqual([]);
});

test("what the API reads market values with can do nothing else", () => {
  const methods = Object.getOwnPropertyNames(MarketReader.prototype).filter((name) => name !== "constructor");
  expect(methods.sort()).toEqual(["close", "status", "values"]);
});
