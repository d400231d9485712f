import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

/** What partners' own tools make of the document of the fleet. */
const fleet = inject("fleet");
const lives = fileURLToPath(new URL("lives", import.meta.url));
const generators = fileURLToPath(new URL("generators", import.meta.url));
const folder = join(generators, "dist");

beforeAll(async () => {
  // Their lock alone says what is installed, once per clone.
  if (!existsSync(join(generators, "node_modules")))
    await promisify(execFile)("npm", ["ci", "--prefix", generators, "--prefer-offline"]);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const answer = await fetch(`${fleet.router}/openapi.json`);
  await writeFile(join(folder, "openapi.json"), await answer.text());
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Run a script of the generators' packages, or one of ours; resolves with what it printed, whether it failed or not. */
async function node(script: string, ...args: string[]): Promise<string> {
  const run = promisify(execFile)(process.execPath, [script, ...args], { cwd: folder });
  const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error);
  return `${stdout}${stderr}`;
}
const tool = (path: string) => join(generators, "node_modules", path);

test("Redocly's linter has nothing to say", async () => {
  const said = await node(tool("@redocly/cli/bin/cli.js"), "lint", "openapi.json", "--format=json");
  expect(JSON.parse(said.slice(said.indexOf("{"), said.lastIndexOf("}") + 1))).toMatchObject({
    totals: { errors: 0, warnings: 0 },
  });
});

describe("a client compiles, and lives a tenant's life", () => {
  const strict = "--strict --noEmit --skipLibCheck --types node --module nodenext --target es2024";
  const options = [...strict.split(" "), "--allowImportingTsExtensions"];
  const compile = (file: string) => node(tool("typescript/lib/tsc.js"), ...options, file);
  const live = async (file: string): Promise<unknown> =>
    JSON.parse(await node(file, fleet.router, fleet.identity.keys["carrier-a"] ?? ""));
  const lived = {
    created: 201,
    patched: "good",
    stale: "precondition-failed",
    listed: true,
    imported: 2,
    gone: 204,
  };

  test("by openapi-typescript with openapi-fetch", async () => {
    const output = ["--output", "openapi.d.ts"];
    const said = await node(tool("openapi-typescript/bin/cli.js"), "openapi.json", ...output);
    expect(said).toContain("openapi.d.ts");
    await copyFile(join(lives, "openapi-fetch.ts"), join(folder, "openapi-fetch.ts"));
    expect(await compile("openapi-fetch.ts")).toBe("");
    expect(await live("openapi-fetch.ts")).toEqual(lived);
  });

  test("by Hey API", async () => {
    const output = { path: "client", module: { extension: ".ts" } };
    const plugins = ["@hey-api/client-fetch", "@hey-api/sdk", "@hey-api/typescript"];
    const config = { input: "openapi.json", output, plugins };
    await writeFile(join(folder, "made.config.mjs"), `export default ${JSON.stringify(config)};\n`);
    const said = await node(tool("@hey-api/openapi-ts/bin/run.js"), "-f", "made.config.mjs");
    expect(said).not.toMatch(/error/i);
    await copyFile(join(lives, "hey-api.ts"), join(folder, "hey-api.ts"));
    expect(await compile("hey-api.ts")).toBe("");
    expect(await live("hey-api.ts")).toEqual(lived);
  });
});
