import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Scratch } from "../../setup/scratch.ts";
import { huntEdge } from "./index.ts";
import { type Mutant, mutants } from "./mutants.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.copyOf(root);
});
afterAll(() => scratch.remove());

const hunted = () =>
  huntEdge(
    {
      seed: 16,
      first: 0,
      count: 5_000,
      deadline: performance.now() + 300_000,
      enough: 1,
      options: {},
      progress: () => undefined,
    },
    { root: scratch.folder },
  );

/** Hunt with some edits of the copy in place. */
async function huntWith([edit, ...more]: Mutant["edits"]): ReturnType<typeof hunted> {
  if (edit === undefined) return hunted();
  return scratch.mutated(edit.file, edit.find, edit.replace, () => huntWith(more));
}

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))("is found: %s", async (_, mutant) => {
  const { violations, schedules } = await huntWith(mutant.edits);
  console.log(`${mutant.name}\n  found within ${schedules} schedules: ${violations[0]?.what}`);
  expect(violations).not.toEqual([]);
});
