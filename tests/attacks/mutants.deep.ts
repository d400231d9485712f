import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mutants } from "./mutants.ts";
import { Scratch } from "./scratch.ts";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
let scratch: Scratch;
beforeAll(async () => {
  scratch = await Scratch.copyOf(root);
});
afterAll(() => scratch.remove());

interface Report {
  testResults: { assertionResults: { status: string; title: string }[] }[];
}

interface Played {
  passed: number;
  failed: string[];
}

/**
 * Play part of the suite in the scratch copy, against a fleet built from it. A busy machine may fail to start one in
 * time: that is no verdict, and is tried again.
 */
async function play(files: readonly string[]): Promise<Played> {
  let said = "";
  for (let tries = 0; tries < 4; tries += 1) {
    const played = await playOnce(files);
    if (typeof played !== "string") return played;
    said = played;
    await sleep(10_000);
  }
  throw new Error(
    `the suite did not run: is what was taken out needed to start a fleet or to set the scene?\n${said.slice(-2_000)}`,
  );
}

/** A verdict, or what was said instead. */
async function playOnce(files: readonly string[]): Promise<Played | string> {
  const report = join(scratch.folder, "report.json");
  await rm(report, { force: true });
  const bin = join(scratch.folder, "node_modules", ".bin");
  const paths = files.map((file) => `tests/attacks/${file}`);
  const child = spawn(
    join(bin, "vitest"),
    ["run", "--project", "fleet", "--reporter=json", `--outputFile=${report}`, ...paths],
    {
      cwd: scratch.folder,
      env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-10_000);
    });
  }
  await once(child, "close");
  const text = await readFile(report, "utf8").catch(() => undefined);
  if (text === undefined) return said;
  const all = (JSON.parse(text) as Report).testResults.flatMap((file) => file.assertionResults);
  const of = (status: string) => all.filter((t) => t.status === status).map((t) => t.title);
  const [passed, failed] = [of("passed").length, of("failed")];
  return passed + failed.length === 0 ? said : { passed, failed };
}

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
