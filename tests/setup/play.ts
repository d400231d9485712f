import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

interface Report {
  testResults: { assertionResults: { status: string; title: string; failureMessages: string[] }[] }[];
}

/** What became of the tests of some files: how many passed, which failed, and the first thing each of those said. */
export interface Played {
  passed: number;
  failed: string[];
  said: string[];
}

/**
 * Play part of a suite in a copy of the repository, as it is there. A busy machine may fail to start what it needs in time:
 * that is no verdict, and is tried again. `paths`: test files, from the copy's root; `flags`: more for vitest.
 */
export async function playIn(
  folder: string,
  project: string,
  paths: readonly string[],
  flags: readonly string[] = [],
): Promise<Played> {
  let said = "";
  for (let tries = 0; tries < 4; tries += 1) {
    const played = await playOnce(folder, project, [...flags, ...paths]);
    if (typeof played !== "string") return played;
    said = played;
    await sleep(10_000);
  }
  throw new Error(
    `the suite did not run: is what was taken out needed to set the scene?\n${said.slice(-2_000)}`,
  );
}

/** A verdict, or what was said instead. */
async function playOnce(folder: string, project: string, args: readonly string[]): Promise<Played | string> {
  const report = join(folder, "report.json");
  await rm(report, { force: true });
  const bin = join(folder, "node_modules", ".bin");
  const child = spawn(
    join(bin, "vitest"),
    ["run", "--project", project, "--reporter=json", `--outputFile=${report}`, ...args],
    {
      cwd: folder,
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
  const passed = all.filter((t) => t.status === "passed").length;
  const failed = all.filter((t) => t.status === "failed");
  if (passed + failed.length === 0) return said;
  const first = failed.map((t) => (t.failureMessages[0] ?? "").slice(0, 500));
  return { passed, failed: failed.map((t) => t.title), said: first };
}
