import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mutants } from "../compat/mutants.ts";

const edits = mutants.flatMap(({ name, edits: all }) => all.map((edit) => [name, edit] as const));

test.each(edits)("the faulty change still applies: %s", (_, { file, find }) => {
  const source = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
  expect(source.split(find).length - 1).toBe(1);
});
