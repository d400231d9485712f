import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { playIn } from "../setup/play.ts";
import { Scratch } from "../setup/scratch.ts";
import { type Mutant, mutants } from "./mutants.ts";
import { git } from "./release.ts";
import { root } from "./scene.ts";

let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.copyOf(root);
  // The last release is built from the history, which is only read.
  await writeFile(
    join(scratch.folder, ".git"),
    `gitdir: ${await git(root, "rev-parse", "--absolute-git-dir")}\n`,
  );
});
afterAll(() => scratch.remove());

const play = () => playIn(scratch.folder, "emulator", ["tests/compat"], ["--bail=1"]);

/** Play with some edits of a copy in place. */
async function playWith([edit, ...more]: Mutant["edits"]): ReturnType<typeof play> {
  if (edit === undefined) return play();
  return scratch.mutated(edit.file, edit.find, edit.replace, () => playWith(more));
}

test("the copy as it is passes, the last release beside it", async () => {
  const { passed, failed, said } = await play();
  expect([failed, said]).toEqual([[], []]);
  expect(passed).toBe(17);
});

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))("is caught: %s", async (_, mutant) => {
  const { failed, said } = await playWith(mutant.edits);
  console.log(`${mutant.name}\n  noticed by "${failed[0]}": ${said[0]}`);
  expect(failed[0]).toBe(mutant.noticedBy);
});
