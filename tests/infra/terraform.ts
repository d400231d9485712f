import { execFile, execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { providers, readSchema } from "./provider/schema.ts";
import { serveSchema } from "./provider/server.ts";

/** The repository itself. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** False where there is no Terraform: what needs it says so and is not run. */
export const hasTerraform = ((): boolean => {
  try {
    execFileSync("terraform", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/** One resource of a plan: its address, its type and all that Terraform would ask for, variables resolved. */
export interface Planned {
  address: string;
  type: string;
  values: Record<string, unknown>;
}

const message = z.object({ type: z.string() }).loose();
const planMessage = z.object({
  test_plan: z.object({
    resource_changes: z
      .array(
        z.object({
          address: z.string(),
          type: z.string(),
          change: z.object({ after: z.record(z.string(), z.unknown()).nullable() }),
        }),
      )
      .default([]),
  }),
});
const diagnosticMessage = z.object({
  type: z.literal("diagnostic"),
  diagnostic: z.object({ severity: z.string(), summary: z.string(), detail: z.string().default("") }),
});

export const roots = ["bootstrap", "central", "edge", "project", "cell"] as const;
export type Root = (typeof roots)[number];

/** What a root's plan came to: resources, or what Terraform said against it. */
export interface PlanResult {
  resources: Planned[];
  errors: string[];
}

export interface Run {
  /** Tells runs of one root apart. */
  name: string;
  variables: Record<string, unknown>;
  /** Addresses of what is imported: Terraform wants its values from somebody, and there is no cloud to ask. */
  imported?: readonly string[];
}

/**
 * A copy of infra/ in a folder of its own, in which a test may change what it likes; plans are made from it without a cloud:
 * every argument is checked against the provider's schema, and what only the cloud knows is mocked.
 */
export class Infra {
  /** The folder that stands for the repository: infra/ and the lock file are in it. */
  readonly repository: string;
  readonly #reattach: string;
  readonly #stop: () => void;

  private constructor(repository: string, reattach: string, stop: () => void) {
    this.repository = repository;
    this.#reattach = reattach;
    this.#stop = stop;
  }

  /** A copy of the repository's, or of another copy whose roots are initialised. */
  static async copy(from: string = root): Promise<Infra> {
    const folder = mkdtempSync(join(tmpdir(), "infra-"));
    // What `fleet cells add` changes.
    for (const file of ["package-lock.json", "docs/fleet.md"]) cpSync(join(from, file), join(folder, file));
    cpSync(join(from, "infra"), join(folder, "infra"), {
      recursive: true,
      filter: (path) => !path.includes("node_modules") && !(from === root && path.includes(".terraform")),
    });
    const served = await Promise.all(providers.map((name) => serveSchema(name, readSchema(name))));
    const reattach = Object.assign({}, ...served.map((each) => each.reattach));
    return new Infra(folder, JSON.stringify(reattach), () => {
      for (const { stop } of served) stop();
    });
  }

  path(file: string): string {
    return join(this.repository, "infra", file);
  }

  read(file: string): string {
    return readFileSync(this.path(file), "utf8");
  }

  /** Replace a text that must be there, once or more. */
  edit(file: string, from: string | RegExp, to: string): void {
    const before = this.read(file);
    const after = before.replaceAll(from instanceof RegExp ? new RegExp(from.source, "g") : from, to);
    if (after === before) throw new Error(`${file} does not hold ${String(from)}`);
    writeFileSync(this.path(file), after);
  }

  /** The plans of one root, a run each, in one Terraform process. */
  async plan(rootName: Root, runs: readonly Run[]): Promise<Map<string, PlanResult>> {
    const where = this.path(`terraform/roots/${rootName}`);
    writeFileSync(join(where, "plan.tftest.hcl"), testFile(runs));
    await this.init(rootName);
    const { text } = await this.terraform(where, ["test", "-json", "-verbose", "-no-color"]);
    const results = new Map<string, PlanResult>(runs.map((r) => [r.name, { resources: [], errors: [] }]));
    const loose: string[] = [];
    for (const line of text.split("\n")) {
      if (!line.startsWith("{")) continue;
      const json: unknown = JSON.parse(line);
      const run = z.object({ "@testrun": z.string() }).safeParse(json).data?.["@testrun"];
      const result = run === undefined ? undefined : results.get(run);
      const { type } = message.parse(json);
      if (type === "test_plan" && result !== undefined) {
        const { resource_changes } = planMessage.parse(json).test_plan;
        for (const { address, type: kind, change } of resource_changes) {
          result.resources.push({ address, type: kind, values: change.after ?? {} });
        }
      }
      if (type === "diagnostic") {
        const { severity, summary, detail } = diagnosticMessage.parse(json).diagnostic;
        if (severity === "error") (result?.errors ?? loose).push(`${summary}: ${detail}`);
      }
    }
    for (const result of results.values()) {
      result.errors.push(...loose);
      if (result.resources.length === 0 && result.errors.length === 0) result.errors.push(`no plan: ${text}`);
    }
    return results;
  }

  async init(rootName: Root): Promise<void> {
    const where = this.path(`terraform/roots/${rootName}`);
    if (existsSync(join(where, ".terraform"))) return;
    const { code, text } = await this.terraform(where, [
      "init",
      "-backend=false",
      "-no-color",
      "-input=false",
    ]);
    if (code !== 0) throw new Error(text);
  }

  terraform(cwd: string, args: string[]): Promise<{ code: number; text: string }> {
    const env = {
      PATH: process.env["PATH"],
      HOME: this.repository,
      TF_REATTACH_PROVIDERS: this.#reattach,
      TF_IN_AUTOMATION: "1",
      CHECKPOINT_DISABLE: "1",
    };
    return new Promise((resolve) => {
      execFile("terraform", args, { cwd, env, maxBuffer: 256 * 1024 * 1024 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), text: `${stdout}${stderr}` });
      });
    });
  }

  close(): void {
    this.#stop();
    rmSync(this.repository, { recursive: true, force: true });
  }
}

/** What only the cloud knows, where something else is made of it. */
const mocked = `mock_provider "google-beta" {
  override_during = plan
}

mock_provider "google" {
  override_during = plan
  mock_resource "google_iam_workload_identity_pool" {
    defaults = { name = "projects/1/locations/global/workloadIdentityPools/github" }
  }
  mock_resource "google_certificate_manager_dns_authorization" {
    defaults = {
      dns_resource_record = [{ name = "_acme-challenge.proveniq.io.", type = "CNAME", data = "proof.authorize.certificatemanager.goog." }]
    }
  }
}
`;

function testFile(runs: readonly Run[]): string {
  return (
    mocked +
    runs
      .map(
        ({ name, variables, imported = [] }) => `
run "${name}" {
  command = plan
  variables {
${Object.entries(variables)
  .map(([key, value]) => `    ${key} = ${JSON.stringify(value)}`)
  .join("\n")}
  }
${imported.map((target) => `  override_resource {\n    target = ${target}\n    override_during = plan\n  }\n`).join("")}}
`,
      )
      .join("")
  );
}
