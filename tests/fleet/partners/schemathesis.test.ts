import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, inject, test } from "vitest";

/**
 * Schemathesis holds the API to its document, with all its checks and phases, through the router. What it may not hold against us
 * is in schemathesis.toml, with the reasons.
 */
const fleet = inject("fleet");
const config = fileURLToPath(new URL("schemathesis.toml", import.meta.url));
const installed = spawnSync("schemathesis", ["--version"], { stdio: "ignore" }).status === 0;

test.skipIf(!installed)("Schemathesis finds nothing", { timeout: 300_000, retry: 0 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "schemathesis-"));
  const tenant = "carrier-a";
  const env = { ...process.env, API_KEY: fleet.identity.keys[tenant], TENANT: tenant };
  const options = ["--max-examples", "5", "--seed", "1", "--no-color", "--continue-on-failure"];
  // The same operations under /t/{tenant} are left to longer runs.
  const where = ["--url", fleet.router, "--exclude-path-regex", "^/t/"];
  const run = promisify(execFile)(
    "schemathesis",
    ["--config-file", config, "run", `${fleet.router}/openapi.json`, ...where, ...options],
    { env, cwd: folder, maxBuffer: 64 * 1024 * 1024 },
  );
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  await rm(folder, { recursive: true, force: true });
  expect(stdout.slice(0, 20_000)).toMatch(/No issues found|passed/);
  expect(stdout).not.toContain("FAILURES");
});
