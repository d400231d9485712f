import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { localProver } from "@proveniq/local-cloud/fleet";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

/** Imports through the router, as partners make them. */
const fleet = inject("fleet");
const run = promisify(execFile);
const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const script = path("examples/import/import.sh");
const mapping = path("examples/import/diamonds.json");
const key = fleet.identity.keys["carrier-a"] ?? "";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleet-import-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("with curl alone, by the script of the documentation", () => {
  test("a file in several chunks is in, and the refused rows come back", async () => {
    const lines = (await readFile(path("examples/data/diamonds.csv"), "utf8")).split("\n").slice(0, 5_601);
    lines[3] = String(lines[3]).replace(/,\d+,([\d.]+,[\d.]+,[\d.]+)$/, ",much,$1");
    const file = join(folder, "book.csv");
    await writeFile(file, `${lines.join("\n")}\n`);
    const env = { ...process.env, PROVENIQ_KEY: key };
    const { stdout } = await run("bash", [script, file, mapping, fleet.router, "carrier-a"], { env });
    expect(JSON.parse(stdout)).toMatchObject({ state: "completed", counts: { rows: 5_600, failed: 1 } });
    const refused = await readFile(`${file}.errors.csv`, "utf8");
    expect(refused.split("\r\n")[1]).toMatch(/^3,price: Is not an amount/);
  });
});

describe("the command line", () => {
  const fleetCommand = (...args: string[]) =>
    run(process.execPath, [
      path("packages/fleet/bin/fleet.mjs"),
      ...args,
      "--state-dir",
      dirname(fleet.directoryFile),
    ]);

  test("imports an EU partner's file by the host of its region, in the encoding it has", async () => {
    const file = join(folder, "museum.csv");
    await writeFile(
      file,
      Buffer.from("id;Bezeichnung\nM-1;Brosche, vergoldet\nM-2;K\xf6nigskette\n", "latin1"),
    );
    const map = join(folder, "museum.json");
    await fleetCommand("import", file, "--init", "--map", map, "--encoding", "windows-1252");
    expect(JSON.parse(await readFile(map, "utf8"))).toMatchObject({
      fields: { externalId: { column: "id" }, title: { column: "Bezeichnung" } },
    });
    const args = ["--tenant", "atelier-nord", "--map", map, "--encoding", "windows-1252", "--json"];
    const { stdout } = await fleetCommand("import", file, ...args);
    expect(JSON.parse(stdout)).toMatchObject({ import: { state: "completed", counts: { created: 2 } } });
    const headers = {
      authorization: `Bearer ${fleet.identity.keys["atelier-nord"]}`,
      "x-tenant-id": "atelier-nord",
    };
    const url = `${fleet.cells["eu"]?.api}/v1/items?externalId=M-2`;
    const prove = await localProver(fleet);
    const answer = await fetch(url, { headers: { ...headers, ...prove("eu", url) } });
    expect(await answer.json()).toMatchObject({ items: [{ title: "Königskette" }] });
  });

  test("says what is wrong in a sentence", async () => {
    const file = join(folder, "bad.csv");
    await writeFile(file, "id,id\n1,2\n");
    const told = await fleetCommand("import", file, "--map", mapping).catch(
      (error: { stderr: string }) => error.stderr,
    );
    expect(told).toContain('has the column "id" twice');
    await writeFile(file, "id,name\nA,\xe9\n", "latin1");
    const refused = await fleetCommand("import", file, "--init").catch(
      (error: { stderr: string }) => error.stderr,
    );
    expect(refused).toContain(
      "bad.csv is not UTF-8, about row 1. If it comes from a spreadsheet, add --encoding windows-1252.",
    );
  });
});

test("imports and everything else are served by processes of their own", async () => {
  const { api, bulk } = fleet.cells["enterprise-a"] ?? { api: "", bulk: "" };
  const headers = { authorization: `Bearer ${key}`, "x-tenant-id": "carrier-a" };
  const prove = await localProver(fleet);
  const status = async (url: string) =>
    (await fetch(url, { headers: { ...headers, ...prove("global", url) } })).status;
  expect(await status(`${bulk}/v1/imports`)).toBe(200);
  expect(await status(`${api}/v1/imports`)).toBe(404);
  expect(await status(`${bulk}/v1/items`)).toBe(404);
  expect(await status(`${fleet.router}/v1/imports`)).toBe(200);
});
