import { execFile, execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { providerFolder } from "./judge/tools.ts";
import { type Answers, serveAnswers } from "./provider/answers.ts";
import { readSchema } from "./provider/schema.ts";
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

/** Whose plans these are: the provider itself where it is, downloaded if asked to, and else a server that knows its schema alone. */
export const engine: "provider" | "schema" = providerFolder === undefined ? "schema" : "provider";

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
          mode: z.string().optional(),
          change: z.object({
            after: z.record(z.string(), z.unknown()).nullable(),
            after_unknown: z.record(z.string(), z.unknown()).nullish(),
          }),
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
  /** Addresses of what is imported: Terraform wants their values from somebody, and there is no cloud to ask. */
  imported?: readonly string[];
}

/**
 * A copy of infra/ in a folder of its own, in which a test may change what it likes; plans are made from it without a cloud:
 * every argument is checked against the provider's schema, and what only the cloud knows is mocked.
 */
export class Infra {
  /** The folder that stands for the repository: infra/ and the lock file are in it. */
  readonly repository: string;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #stop: () => void;

  private constructor(repository: string, environment: Record<string, string>, stop: () => void) {
    this.repository = repository;
    this.#environment = environment;
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
    if (providerFolder === undefined) {
      // Mocks import nothing that is made of what does not exist yet, as a release of rules is.
      const main = join(folder, "infra/terraform/roots/cell/main.tf");
      const parts = readFileSync(main, "utf8").split(/(?=^import \{$)/m);
      writeFileSync(main, parts.filter((part) => !part.includes("google_firebaserules_release")).join(""));
      const { reattach, stop } = await serveSchema(readSchema());
      return new Infra(folder, { TF_REATTACH_PROVIDERS: JSON.stringify(reattach) }, stop);
    }
    const { environment, stop } = await serveAnswers(answers);
    const config = join(folder, "terraform.rc");
    writeFileSync(config, cliConfiguration(providerFolder));
    return new Infra(folder, { ...environment, TF_CLI_CONFIG_FILE: config }, stop);
  }

  path(file: string): string {
    return join(this.repository, "infra", file);
  }

  read(file: string): string {
    return readFileSync(this.path(file), "utf8");
  }

  write(file: string, text: string): void {
    writeFileSync(this.path(file), text);
  }

  /** Ids of its cells, in order. */
  cells(): string[] {
    return readdirSync(this.path("cells")).toSorted();
  }

  removeCell(id: string): void {
    rmSync(this.path(`cells/${id}`), { recursive: true });
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
    writeFileSync(join(where, "plan.tftest.hcl"), testFile(rootName, runs));
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
        for (const { address, type: kind, mode, change } of resource_changes) {
          if (mode === "data") continue;
          const values = { ...unknowns(change.after_unknown), ...change.after };
          result.resources.push({ address, type: kind, values });
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
    if (existsSync(join(where, ".terraform/modules"))) return;
    const { code, text } = await this.terraform(where, [
      "init",
      "-backend=false",
      "-no-color",
      "-input=false",
    ]);
    // With a provider from a folder, init has fetched the modules when it looks for the provider, in vain.
    if (code !== 0 && !text.includes("development overrides")) throw new Error(text);
  }

  terraform(cwd: string, args: string[]): Promise<{ code: number; text: string }> {
    const env = {
      PATH: process.env["PATH"],
      HOME: this.repository,
      ...this.#environment,
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

/** A CLI configuration by which Terraform takes the provider from a folder. */
export function cliConfiguration(folder: string): string {
  return `provider_installation {\n  dev_overrides {\n    "hashicorp/google" = "${folder}"\n  }\n  direct {\n    exclude = ["hashicorp/*"]\n  }\n}\n`;
}

/** What is known after the apply alone: a word in its place, so that a rule sees that there will be something. */
function unknowns(after: Record<string, unknown> | null | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(after ?? {}).flatMap(([key, value]) =>
      value === true ? [[key, "known after the apply"]] : [],
    ),
  );
}

/** What a plan asks of the cloud: what is imported, and a project's number. */
const answers: Answers = {
  FIRESTORE: (path) => {
    const [, project, database] = /^projects\/([^/]+)\/databases\/([^/]+)$/.exec(path) ?? [];
    const name = `projects/${project}/databases/${database}`;
    const known = { name, locationId: "nam5", type: "FIRESTORE_NATIVE", concurrencyMode: "PESSIMISTIC" };
    return project === undefined ? undefined : known;
  },
  FIREBASERULES: (path) => ({ name: path, rulesetName: path.replace(/releases\/.*/, "rulesets/before") }),
  STORAGE: (path) =>
    path.endsWith("/serviceAccount")
      ? { email_address: "service-100000000001@gs-project-accounts.iam.gserviceaccount.com" }
      : undefined,
};

/** What only the cloud knows, where something else is made of it. */
const mocked = `mock_provider "google" {
  override_during = plan
  mock_resource "google_iam_workload_identity_pool" {
    defaults = { name = "projects/1/locations/global/workloadIdentityPools/github" }
  }
  mock_data "google_storage_project_service_account" {
    defaults = { email_address = "service-100000000001@gs-project-accounts.iam.gserviceaccount.com" }
  }
  mock_resource "google_certificate_manager_dns_authorization" {
    defaults = {
      dns_resource_record = [{ name = "_acme-challenge.proveniq.io.", type = "CNAME", data = "proof.authorize.certificatemanager.goog." }]
    }
  }
}
`;

/** The name of the identity pool holds the project's number, and grants are made of it. */
const pool = `override_resource {
  target          = module.ci.google_iam_workload_identity_pool.github
  override_during = plan
  values          = { name = "projects/1/locations/global/workloadIdentityPools/github" }
}
`;

function testFile(rootName: Root, runs: readonly Run[]): string {
  return (
    (engine === "schema" ? mocked : rootName === "bootstrap" ? pool : "") +
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
${(engine === "provider" ? [] : imported).map((target) => `  override_resource {\n    target = ${target}\n    override_during = plan\n  }\n`).join("")}}
`,
      )
      .join("")
  );
}
