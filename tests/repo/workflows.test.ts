import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadFleet } from "@proveniq/control-plane";
import { order } from "@proveniq/control-plane/deploy";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, ".github/workflows");
const files = readdirSync(folder);
const read = (file: string) => readFileSync(join(folder, file), "utf8");
const hasJq = ((): boolean => {
  try {
    execFileSync("jq", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

const permissions = z.record(z.string(), z.string());
const step = z.object({
  id: z.string().optional(),
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).default({}),
});
const job = z.object({
  needs: z.union([z.string(), z.array(z.string())]).default([]),
  if: z.string().optional(),
  uses: z.string().optional(),
  with: z.record(z.string(), z.string()).default({}),
  environment: z.string().optional(),
  concurrency: z.object({ group: z.string(), "cancel-in-progress": z.boolean() }).optional(),
  permissions: permissions.default({}),
  "timeout-minutes": z.int().optional(),
  strategy: z
    .object({ "fail-fast": z.boolean(), "max-parallel": z.int(), matrix: z.record(z.string(), z.string()) })
    .optional(),
  steps: z.array(step).default([]),
});
const workflow = z.object({
  on: z.record(z.string(), z.unknown()),
  permissions,
  concurrency: z.object({ group: z.string(), "cancel-in-progress": z.boolean() }).optional(),
  jobs: z.record(z.string(), job),
});
const parsed = (file: string) => workflow.parse(parse(read(file)));
const stepsOf = (file: string) => Object.values(parsed(file).jobs).flatMap((j) => j.steps);

/** What a step with this id runs. */
function scriptOf(file: string, id: string): string {
  const found = stepsOf(file).find((s) => s.id === id)?.run;
  if (found === undefined) throw new Error(`${file} has no step ${id} that runs something`);
  return found;
}

const scratch: string[] = [];
afterAll(() => {
  for (const each of scratch) rmSync(each, { recursive: true, force: true });
});

/** Run a step's script as a runner does, and read what it set. */
function outputsOf(script: string, cwd: string, env: Record<string, string> = {}): Record<string, string> {
  const place = mkdtempSync(join(tmpdir(), "workflow-"));
  scratch.push(place);
  const output = join(place, "output");
  execFileSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], {
    cwd,
    env: { PATH: process.env["PATH"], GITHUB_OUTPUT: output, ...env },
  });
  const lines = readFileSync(output, "utf8").trim().split("\n");
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
}

describe.each(files)("the workflow %s", (file) => {
  test("uses actions by their commit alone, and says which version that is", () => {
    const uses = [...read(file).matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, what = ""]) => what);
    expect(uses.length).toBeGreaterThan(0);
    const own = /^\.\/\.github\/workflows\/[a-z-]+\.yml$/;
    const pinned = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
    expect(uses.filter((u) => !own.test(u) && !pinned.test(u))).toEqual([]);
  });

  test("may read the repository and no more; a job may prove who it is besides, and no key lies anywhere", () => {
    const { permissions: all, jobs } = parsed(file);
    expect(all).toEqual({ contents: "read" });
    for (const { permissions: more } of Object.values(jobs))
      expect([{}, { contents: "read", "id-token": "write" }]).toContainEqual(more);
    expect(read(file)).not.toMatch(/secrets\.|secrets:|credentials_json|pull_request_target/);
    for (const { with: options } of stepsOf(file).filter((s) => s.uses?.startsWith("actions/checkout@")))
      expect(options).toMatchObject({ "persist-credentials": false });
  });

  test("ends by itself, and puts nothing from outside into a script", () => {
    const own = Object.entries(parsed(file).jobs).filter(([, { uses }]) => uses === undefined);
    expect(own.flatMap(([name, j]) => (j["timeout-minutes"] === undefined ? [name] : []))).toEqual([]);
    expect(stepsOf(file).filter((s) => s.run?.includes("${{"))).toEqual([]);
  });

  test("uses each tool in the version that all others use", () => {
    const versions = (text: string, key: string) =>
      [...text.matchAll(new RegExp(`${key}: (.*)$`, "gm"))].map(([, version]) => version);
    const everywhere = files.map(read).join("\n");
    for (const key of ["terraform_version", "node-version", "java-version"])
      expect(new Set(versions(everywhere, key)).size).toBeLessThanOrEqual(1);
  });
});

describe("main.yml", () => {
  const { jobs, concurrency } = parsed("main.yml");
  /** Of the manifest's schema: a wave is 0 to 9. */
  const waves = Array.from({ length: 10 }, (_, n) => n);

  test("has a job for every wave that a manifest can name, each after all before it", async () => {
    const schema = await import("@proveniq/contracts");
    const { wave } = schema.cellManifest.shape;
    expect([wave.safeParse(0).success, wave.safeParse(9).success, wave.safeParse(10).success]).toEqual([
      true,
      true,
      false,
    ]);
    expect(Object.keys(jobs)).toEqual(["test", "pack", ...waves.map((n) => `wave-${n}`)]);
    for (const n of waves) {
      const wave = jobs[`wave-${n}`];
      expect(wave?.needs).toEqual(["pack", ...waves.slice(0, n).map((m) => `wave-${m}`)]);
      expect(wave?.if).toBe(`!failure() && !cancelled() && needs.pack.outputs.wave-${n} != '[]'`);
      expect(wave?.uses).toBe("./.github/workflows/wave.yml");
      expect(wave?.with).toEqual({
        cells: `\${{ needs.pack.outputs.wave-${n} }}`,
        digest: "${{ needs.pack.outputs.digest }}",
      });
    }
    expect(concurrency).toEqual({ group: "main", "cancel-in-progress": false });
    expect(jobs["pack"]?.needs).toBe("test");
  });

  test.skipIf(!hasJq)("puts every cell into the wave of its manifest (not run without jq)", async () => {
    const { manifests } = await loadFleet(join(root, "infra"));
    const outputs = outputsOf(scriptOf("main.yml", "waves"), root);
    expect(Object.keys(outputs)).toEqual(waves.map((n) => `wave-${n}`));
    const listed = waves.flatMap((n) =>
      (JSON.parse(outputs[`wave-${n}`] ?? "") as string[]).map((cellId) => ({ cellId, wave: n })),
    );
    expect(listed).toEqual(order(manifests).map(({ cellId, wave }) => ({ cellId, wave })));
  });

  test("packs once; whoever deploys takes what was packed", () => {
    const everything = files.map(read).join("\n");
    expect(everything.match(/fleet pack/g)).toHaveLength(1);
    expect(everything).toContain("name: artefact-${{ steps.pack.outputs.digest }}");
    expect(everything).toContain("name: artefact-${{ inputs.digest }}");
  });
});

test("whoever runs the tests has the whole history, without which the last release could not be built", () => {
  const testing = files.flatMap((file) =>
    Object.values(parsed(file).jobs).filter((j) => j.steps.some((s) => s.run?.includes("npm test") === true)),
  );
  expect(testing.length).toBeGreaterThan(1);
  for (const { steps } of testing) {
    const checkout = steps.find((s) => s.uses?.startsWith("actions/checkout@"));
    expect(checkout?.with["fetch-depth"]).toBe(0);
  }
});

describe("wave.yml", () => {
  const deploy = parsed("wave.yml").jobs["deploy"];

  test("deploys one cell at a time, in its own environment, as its own deployer, and stops at the first that fails", () => {
    expect(deploy?.strategy).toEqual({
      "fail-fast": true,
      "max-parallel": 1,
      matrix: { cell: "${{ fromJSON(inputs.cells) }}" },
    });
    expect(deploy?.environment).toBe("${{ matrix.cell }}");
    expect(deploy?.concurrency).toEqual({ group: "deploy-${{ matrix.cell }}", "cancel-in-progress": false });
    const auth = deploy?.steps.find((s) => s.uses?.startsWith("google-github-actions/auth@"));
    expect(auth?.with["service_account"]).toBe(
      "deploy-${{ matrix.cell }}@${{ vars.CENTRAL_PROJECT }}.iam.gserviceaccount.com",
    );
  });

  test("types what a person would have to type", () => {
    const script = deploy?.steps.at(-1)?.run;
    expect(script).toContain(
      'npx fleet deploy "$CELL" --artefact "artefact/$DIGEST" --env production --confirm "$CELL"',
    );
  });

  test.skipIf(!hasJq).each([
    ["eu", "fleet-proof-eu", "proveniq-edge-eu"],
    ["consumer", "fleet-proof-global", "proveniq-central"],
  ])("lets %s know who asks: by the secret of its residency, which no log shows", (cell, secret, project) => {
    const programs = mkdtempSync(join(tmpdir(), "programs-"));
    scratch.push(programs);
    const write = (name: string, script: string) =>
      writeFileSync(join(programs, name), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
    write("gcloud", 'echo "$*"');
    write("npx", 'printf "canary=%s\\nproof=%s\\n" "$FLEET_CANARY_KEY" "$PROOF_SECRETS" >> "$GITHUB_OUTPUT"');
    const env = {
      PATH: `${programs}:${process.env["PATH"]}`,
      CELL: cell,
      DIGEST: "d",
      CENTRAL_PROJECT: "proveniq-central",
    };
    const outputs = outputsOf(deploy?.steps.at(-1)?.run ?? "", root, env);
    const command = (of: string, where: string) =>
      `secrets versions access latest --secret=${of} --project=${where}`;
    expect(outputs).toEqual({
      canary: command(`canary-key-${cell}`, "proveniq-central"),
      proof: command(secret, project),
    });
    expect(deploy?.steps.at(-1)?.run).toContain('echo "::add-mask::$PROOF_SECRETS"');
  });
});

describe("pull-request.yml", () => {
  const { jobs } = parsed("pull-request.yml");

  test("is nobody's deployer: it has no environment, and only the planner's account", () => {
    expect(Object.values(jobs).map((j) => j.environment)).toEqual([undefined, undefined, undefined]);
    const accounts = stepsOf("pull-request.yml").flatMap((s) => s.with["service_account"] ?? []);
    expect(accounts).toEqual(["planner@${{ vars.CENTRAL_PROJECT }}.iam.gserviceaccount.com"]);
    expect(jobs["plan"]?.if).toContain("head.repo.full_name == github.repository");
    expect(read("pull-request.yml")).not.toMatch(/terraform apply|-lock=true/);
  });

  const cell = (id: string) => `infra/cells/${id}/cell.json`;
  const place = mkdtempSync(join(tmpdir(), "workflow-"));
  scratch.push(place);
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
      cwd: place,
      encoding: "utf8",
    }).trim();
  const put = (entries: Record<string, string | null>) => {
    for (const [file, text] of Object.entries(entries)) {
      mkdirSync(join(place, dirname(file)), { recursive: true });
      if (text === null) rmSync(join(place, file));
      else writeFileSync(join(place, file), text);
    }
    git("add", "-A");
    git("commit", "-q", "-m", "x");
  };
  beforeAll(() => {
    git("init", "-q", "-b", "main");
    put({
      [cell("ap")]: "1",
      [cell("eu")]: "1",
      [cell("eu-north")]: "1",
      "infra/cells/eu/package.json": "1",
      "infra/fleet.json": "1",
      "infra/firestore.indexes.json": "1",
      "infra/terraform/modules/cell/functions.tf": "1",
      "infra/terraform/modules/edge/front.tf": "1",
      "apps/x.ts": "1",
    });
    git("tag", "start");
    // The main branch has gone on since: that is none of the change's doing.
    put({ [cell("ap")]: "3" });
  });

  test.skipIf(!hasJq).each<[string, Record<string, string | null>, string[]]>([
    ["a change of code", { "apps/x.ts": "2" }, []],
    ["one manifest", { [cell("eu")]: "2" }, ["eu"]],
    ["a new cell", { [cell("de")]: "1" }, ["de"]],
    ["a cell that is removed", { [cell("eu")]: null }, []],
    ["a cell's package", { "infra/cells/eu/package.json": "2" }, ["eu"]],
    ["what all cells share", { "infra/terraform/modules/cell/functions.tf": "2" }, ["ap", "eu", "eu-north"]],
    ["fleet.json", { "infra/fleet.json": "2" }, ["ap", "eu", "eu-north"]],
    ["an index", { "infra/firestore.indexes.json": "2" }, ["ap", "eu", "eu-north"]],
    ["the edge, which has plans of its own", { "infra/terraform/modules/edge/front.tf": "2" }, []],
  ])("plans the cells that are reached by %s (not run without jq)", (_, change, cells) => {
    git("checkout", "-q", "-B", "change", "start");
    put(change);
    const { cells: listed } = outputsOf(scriptOf("pull-request.yml", "list"), place, { BASE: "main" });
    expect((JSON.parse(listed ?? "") as string[]).toSorted()).toEqual(cells);
  });
});

test.skipIf(!hasJq)("the nightly plans cover every state there is (not run without jq)", async () => {
  const { states: listed } = outputsOf(scriptOf("drift.yml", "list"), join(root, "infra"), {
    GITHUB_REPOSITORY: "proveniq/cells",
  });
  const states = JSON.parse(listed ?? "") as { prefix: string }[];
  const { config, manifests } = await loadFleet(join(root, "infra"));
  const projects = new Set([
    config.central.project,
    ...Object.values(config.edges),
    ...Object.values(manifests).map((m) => m.project),
  ]);
  expect(states.map((s) => s.prefix).toSorted()).toEqual(
    [
      ...Object.keys(manifests).map((id) => `cells/${id}`),
      ...Object.keys(config.defaults).map((r) => `edge/${r}`),
      ...[...projects].map((p) => `projects/${p}`),
      "bootstrap",
      "central",
    ].toSorted(),
  );
});
