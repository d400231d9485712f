import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { isNamed } from "./cli/turbo.ts";
import { readCliConfig } from "./config.ts";
import { program } from "./program.ts";

let nowhere: string;
beforeAll(async () => {
  // There are no credentials here, and nobody has to be asked for them.
  vi.stubEnv("METADATA_SERVER_DETECTION", "none");
  nowhere = await mkdtemp(join(tmpdir(), "no-fleet-"));
});
afterAll(async () => rm(nowhere, { recursive: true, force: true }));

async function fleet(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: "", err: "" };
  const code = await program(args, {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
  });
  return { code: code ?? 0, ...said };
}

describe("the CLI", () => {
  it("teaches when it is given nothing, and when asked", async () => {
    for (const args of [[], ["--help"]]) {
      const { code, out } = await fleet(...args);
      expect(code).toBe(0);
      expect(out).toContain("npm run doctor");
    }
    for (const args of [
      ["up"],
      ["down"],
      ["cells", "add"],
      ["cells", "remove"],
      ["pause"],
      ["resume"],
      ["tenants", "add"],
      ["doctor"],
      ["directory", "publish"],
      ["directory", "diff"],
      ["directory", "rollback"],
      ["route", "explain"],
      ["secrets", "rotate"],
    ]) {
      const { code, out } = await fleet(...args, "--help");
      expect([args, code]).toEqual([args, 0]);
      expect(out).toContain("Examples:\n  npx fleet ");
      expect(out).toContain("With --json: ");
    }
  });

  it.each([
    [["cels"], "unknown command 'cels'\n(Did you mean cells?)"],
    [["cells", "lst"], "(Did you mean list?)"],
    [["cells", "list", "--jsn"], "(Did you mean --json?)"],
    [["pause", "eu", "imports"], "required option '--reason <text>' not specified"],
    [["pause", "eu", "everything", "--reason", "x"], "Allowed choices are imports, sink, replicator."],
    [["cells", "show"], "missing required argument 'id'"],
    [["cells", "add", "zz-new"], "required option '--region <region>' not specified"],
    [["up", "--port-base", "80"], "It must be a port from 1024 to 32000."],
    [["up", "--cells", "a,,b"], "It must be names with commas between them."],
    [["up", "--log-level", "loud"], "Allowed choices are debug, info, warn, error."],
  ])("answers %j with a sentence and exit code 2", async (args, sentence) => {
    const { code, out, err } = await fleet(...args);
    expect(err).toContain(sentence);
    expect([code, out]).toEqual([2, ""]);
  });

  it("answers what cannot be done with a sentence and exit code 1, without a stack", async () => {
    const show = await fleet("cells", "show", "mars");
    expect(show).toMatchObject({ code: 1, out: "" });
    expect(show.err).toMatch(/^There is no cell "mars"\. There are consumer, /);
    const add = await fleet("cells", "add", "eu", "--region", "europe-west1", "--residency", "eu", "--json");
    expect(JSON.parse(add.out)).toEqual({ error: 'there is a cell "eu" already: infra/cells/eu/cell.json' });
    const tenants = await fleet("tenants", "list", "--state-dir", nowhere);
    expect(tenants).toMatchObject({ code: 1, err: "No fleet runs here. Start one with `npm start`." });
  });

  it("says which version it is", async () => {
    expect((await fleet("--version")).out).toMatch(/^fleet \d+\.\d+\.\d+, commit [0-9a-f]{12}$/);
  });

  it("lists and shows cells, as JSON of a stable shape too", async () => {
    const { out } = await fleet("cells", "list", "--json", "--state-dir", nowhere);
    const { cells } = JSON.parse(out) as { cells: Record<string, unknown>[] };
    expect(cells.find((cell) => cell["id"] === "eu")).toEqual({
      id: "eu",
      name: "EU partners",
      tier: "region",
      region: "europe-west1",
      residency: "eu",
      project: "proveniq-prod-eu",
      wave: 1,
      databases: ["eu-partners", "eu-carriers"],
      url: null,
    });
    const text = await fleet("cells", "list", "--state-dir", nowhere);
    expect(text.out).toMatch(/^CELL +TIER +REGION/);
    const shown = JSON.parse(
      (await fleet("cells", "show", "eu", "--json", "--state-dir", nowhere)).out,
    ) as object;
    expect(Object.keys(shown)).toEqual(["id", "file", "manifest", "url"]);
  });

  it("stops nothing when nothing runs, and is content", async () => {
    expect(await fleet("down", "--state-dir", nowhere)).toEqual({
      code: 0,
      out: "No fleet runs here.",
      err: "",
    });
  });

  it("examines the machine: what is there, and how to get what is not", async () => {
    const { out } = await fleet("doctor", "--json", "--port-base", "31000", "--state-dir", nowhere);
    process.exitCode = 0;
    const report = JSON.parse(out) as {
      ok: boolean;
      checks: { name: string; ok: boolean; advice: string }[];
    };
    const names = report.checks.map((check) => check.name);
    expect(names).toEqual(
      expect.arrayContaining(["Node.js", "Java", "Firestore emulator", "Ports", "Build"]),
    );
    expect(report.checks.find((check) => check.name === "Node.js")).toMatchObject({ ok: true, advice: "" });
    for (const check of report.checks)
      expect([check.name, check.ok]).toEqual([check.name, check.advice === ""]);
  });
});

describe("the CLI's environment", () => {
  it("has colours on a terminal, unless they are refused, and elsewhere only when forced", () => {
    const colour = (env: NodeJS.ProcessEnv, tty: boolean) => readCliConfig(env, tty).colour;
    expect([colour({}, true), colour({}, false)]).toEqual([true, false]);
    expect([colour({ NO_COLOR: "1" }, true), colour({ NO_COLOR: "" }, true)]).toEqual([false, true]);
    expect([colour({ FORCE_COLOR: "1" }, false), colour({ FORCE_COLOR: "0" }, false)]).toEqual([true, false]);
  });
});

describe("access to an Edge Config", () => {
  const access = (more: NodeJS.ProcessEnv) =>
    readCliConfig({ EDGE_CONFIG_API_TOKEN: "token", ...more }, false).edgeConfig;

  it("takes an empty variable for one that is not set", () => {
    expect(access({ EDGE_CONFIG_API: "", EDGE_CONFIG_TEAM: "" })).toEqual({ token: "token" });
    expect(access({ EDGE_CONFIG_API_TOKEN: "" })).toBeUndefined();
    expect(access({ EDGE_CONFIG_API: "https://a.example" })).toEqual({
      token: "token",
      api: "https://a.example",
    });
  });

  it("sends its token nowhere without TLS", () => {
    expect(() => access({ EDGE_CONFIG_API: "http://a.example" })).toThrow("must be an https URL");
  });
});

describe("in a cloud, a command", () => {
  const staging = "Environment: staging (proveniq-staging.io, central project proveniq-central-stg)";
  it.each([
    [["directory", "publish", "--env", "production"], 2, "Say so with --confirm production."],
    [["directory", "diff", "--env", "production", "--to", "x"], 1, "No Google credentials"],
    [["audit", "--env", "elsewhere"], 2, "Allowed choices are local, production, staging."],
    [["audit", "--env", "staging"], 1, staging],
    [["cells", "show", "eu", "--env", "staging"], 0, '"project": "proveniq-prod-eu-stg"'],
    [["cells", "list", "--env", "staging"], 0, "proveniq-prod-enterprise-a-stg"],
    [
      ["pause", "eu", "imports", "--reason", "x", "--env", "production", "--confirm", "consumer"],
      2,
      "Pause imports of cell eu (EU partners, project proveniq-prod-eu), in production (proveniq.io, central project " +
        "proveniq-central)\nconsumer is not eu: nothing was changed.",
    ],
    [["resume", "mars", "sink", "--env", "production"], 1, 'There is no cell "mars"'],
    [["logs", "eu", "--env", "staging"], 0, "--project=proveniq-prod-eu-stg"],
    [["logs", "central", "--env", "production"], 1, "status.cloud.google.com"],
    [["analytics", "publish", "--open-day", "--env", "staging"], 1, "--open-day is for a local fleet"],
    [["route", "explain", "http://x/", "--env", "staging"], 2, "Name a snapshot of the directory of staging"],
    [["deploy", "--status", "--env", "staging"], 1, "No Google credentials"],
    [["secrets", "rotate", "eu", "--step", "add"], 2, "made anew with each start"],
    [
      ["secrets", "rotate", "eu", "--step", "add", "--env", "staging"],
      2,
      "in project proveniq-edge-eu-stg, step add",
    ],
    [
      ["status", "--env", "staging", "--state-dir", "/x"],
      2,
      "--state-dir is of this machine's fleet, and not of staging",
    ],
    [["snapshot", "save", "x", "--env", "production"], 2, "fleet snapshot save is about this machine"],
    [["import", "x.csv", "--env", "production", "--tenant", "acme"], 1, "x.csv"],
  ])("%j is answered without opening anything", async (args, code, sentence) => {
    const said: string[] = [];
    const output = { out: (text: string) => said.push(text), err: (text: string) => said.push(text) };
    expect([(await program(args, output)) ?? 0, said.join("\n")]).toEqual([
      code,
      expect.stringContaining(sentence),
    ]);
  });

  it("is meant by FLEET_ENV, but for what is about this machine", async () => {
    vi.stubEnv("FLEET_ENV", "staging");
    const { out, err } = await fleet("cells", "list");
    expect([out, err]).toEqual([expect.stringContaining("proveniq-prod-eu-stg"), staging]);
    expect((await fleet("snapshot", "list", "--state-dir", nowhere)).err).toBe("");
    expect((await fleet("cells", "list", "--env", "local", "--state-dir", nowhere)).err).toBe("");
    expect((await fleet("tenants", "list", "--state-dir", nowhere)).err).toContain("No fleet runs here");
    vi.stubEnv("FLEET_ENV", "moon");
    expect(await fleet("cells", "list")).toEqual({
      code: 2,
      out: "",
      err: "FLEET_ENV must be local, production or staging.",
    });
    vi.stubEnv("FLEET_ENV", undefined);
  });
});

describe("a deploy that turbo runs", () => {
  it.each([
    ["turbo deploy --filter=@proveniq/cell-eu", true],
    ["node /x/node_modules/.bin/turbo run deploy -F @proveniq/cell-eu", true],
    ["turbo deploy --filter=@proveniq/cell-us --filter '@proveniq/cell-eu' --force", true],
    ["turbo deploy", false],
    ["turbo deploy --filter=@proveniq/cell-*", false],
    ["turbo deploy --filter=@proveniq/cell-eu-2", false],
    ["fleet deploy eu --filter=@proveniq/cell-eu", false],
  ])("by %s is for the cell eu that was named: %s", (line, named) => {
    expect(isNamed("eu", ["sh -c fleet deploy eu", line])).toBe(named);
  });
});
