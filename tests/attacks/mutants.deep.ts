import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { playIn } from "../setup/play.ts";
import { Scratch } from "../setup/scratch.ts";
import { mutants } from "./mutants.ts";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.copyOf(root);
});
afterAll(() => scratch.remove());

const play = (files: readonly string[]) =>
  playIn(
    scratch.folder,
    "fleet",
    files.map((file) => `tests/attacks/${file}`),
  );

test("the copy as it is passes", async () => {
  const { passed, failed } = await play([...new Set(mutants.map((m) => m.noticedBy))]);
  expect(failed).toEqual([]);
  expect(passed).toBeGreaterThan(60);
});

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
  "without it something fails: %s",
  async (_, mutant) => {
    const { file, find, replace, noticedBy, name } = mutant;
    const { failed } = await scratch.mutated(file, find, replace, () => play([noticedBy]));
    console.log(`${name}\n  noticed by ${failed.length} in ${noticedBy}, such as: ${failed[0]}`);
    expect(failed.length).toBeGreaterThan(0);
  },
);
