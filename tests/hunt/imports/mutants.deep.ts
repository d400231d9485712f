import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Scratch } from "../../setup/scratch.ts";
import { mutants } from "./mutants.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
const cases = 2_000;
let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.copyOf(root);
});
afterAll(() => scratch.remove());

test.each(mutants.map((mutant) => [mutant.name, mutant] as const))("is found: %s", async (name, mutant) => {
  const { file, find, replace } = mutant;
  const hunt = [
    join(scratch.folder, "tests/hunt/main.ts"),
    "imports",
    "--cases",
    String(cases),
    "--enough",
    "1",
  ];
  const { stdout } = await scratch.mutated(file, find, replace, () =>
    // It ends with 1 when a rule did not hold, which is what is wanted.
    run(process.execPath, [...hunt, "--kills", "none"], { cwd: scratch.folder, maxBuffer: 1e8 }).catch(
      (error: { stdout: string }) => error,
    ),
  );
  const { figures } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  console.log(`${name}: ${figures.violations} violations in ${figures.schedules} cases`);
  expect(figures.violations).toBeGreaterThan(0);
});
