import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, cpSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { doorOf, type Fleet, fleetOf, projectsOf, residenciesOf } from "../fleet.ts";
import { Infra, root, roots } from "../terraform.ts";
import { onlyCellZero } from "./build-up.ts";
import { Gap } from "./gap.ts";
import { Judge } from "./judge.ts";

const sha = "a".repeat(64);

/** An empty organisation, and the CLI that brings a fleet up in it: the commands of docs/cloud.md, with the stand-in's addresses. */
export class Cloud {
  readonly judge: Judge;
  readonly fleet: Fleet;
  readonly folder: string;
  readonly #gap: Gap;

  private constructor(judge: Judge, gap: Gap, fleet: Fleet, folder: string) {
    this.judge = judge;
    this.#gap = gap;
    this.fleet = fleet;
    this.folder = folder;
  }

  static async found(provider: string, controlPlane: string): Promise<Cloud> {
    const infra = await Infra.copy();
    const folder = mkdtempSync(join(tmpdir(), "cloud-"));
    try {
      onlyCellZero(infra);
      cpSync(infra.path("."), join(folder, "infra"), {
        recursive: true,
        filter: (path) => !path.includes(".terraform"),
      });
      const fleet = fleetOf(infra);
      const judge = await Judge.start(controlPlane, (seed) => {
        for (const [n, project] of projectsOf(fleet).entries())
          seed.projects[project] ??= `${200_000_000_001 + n}`;
      });
      // Left out by name: it refuses every grant to everybody, whatever a project's policy says; and it refuses persons at budgets even
      // when they say whose quota they use (`user_project_override`, which the provider takes from the environment).
      await judge.ask("off", { checks: "domain-restricted-sharing,quota-project" });
      const cloud = new Cloud(judge, await Gap.open(judge), fleet, folder);
      cloud.#provider(provider);
      cloud.#built();
      for (const project of projectsOf(fleet)) {
        const number = project === "proveniq-prod" ? "100000000002" : "100000000001";
        const email_address = `service-${number}@gs-project-accounts.iam.gserviceaccount.com`;
        await judge.put("storage.googleapis.com", `projects/${project}/serviceAccount`, { email_address });
      }
      for (const root of roots)
        writeFileSync(
          join(folder, "infra/terraform/roots", root, "zz_override.tf"),
          'provider "google" {\n  batching {\n    send_after = "2s"\n  }\n}\n',
        );
      return cloud;
    } finally {
      infra.close();
    }
  }

  /** What a person does who has made the Edge Config. */
  async writeDirectoryAddresses(): Promise<void> {
    for (const residency of residenciesOf(this.fleet)) {
      const path = `projects/${doorOf(this.fleet, residency)}/secrets/edge-config-${residency}/versions/1`;
      await this.judge.put("secretmanager.googleapis.com", path, { name: path, state: "ENABLED" });
    }
  }

  /** Run the CLI. `onLine` sees each line that it says about its steps, and may kill it. */
  fleetCommand(
    args: readonly string[],
    onLine: (line: string, child: ChildProcess) => void = () => undefined,
  ): Promise<{ code: number | null; out: string; said: string }> {
    const child = spawn(process.execPath, [join(root, "packages/fleet/src/main.ts"), ...args], {
      cwd: this.folder,
      env: {
        PATH: process.env["PATH"],
        HOME: this.folder,
        TF_CLI_CONFIG_FILE: join(this.folder, "terraform.rc"),
        TF_CLI_ARGS_plan: "-parallelism=40",
        TF_CLI_ARGS_apply: "-parallelism=40",
        GOOGLE_OAUTH_ACCESS_TOKEN: "ada@proveniq.io",
        FLEET_INFRA: join(this.folder, "infra"),
        ...this.judge.environment,
        ...this.#gap.environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const found = { out: "", said: "" };
    child.stdout.on("data", (chunk: Buffer) => {
      found.out += chunk.toString();
    });
    createInterface({ input: child.stderr }).on("line", (line) => {
      found.said += `${line}\n`;
      onLine(line, child);
    });
    return new Promise((resolve) => child.on("close", (code) => resolve({ code, ...found })));
  }

  /** Names what was built. */
  get built(): string[] {
    return ["--artefact", join(this.folder, "artefact"), "--images", join(this.folder, "images")];
  }

  bootstrap(
    onLine?: (line: string, child: ChildProcess) => void,
  ): Promise<{ code: number | null; out: string; said: string }> {
    return this.fleetCommand(
      ["cloud", "bootstrap", "--env", "production", "--confirm", "production", ...this.built],
      onLine,
    );
  }

  close(): void {
    this.#gap.close();
    this.judge.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Where Terraform looks for the provider instead of a registry. */
  #provider(from: string): void {
    const name = "terraform-provider-google";
    const mirror = join(this.folder, "mirror");
    const platform = `linux_${process.arch === "arm64" ? "arm64" : "amd64"}`;
    const to = join(mirror, "registry.terraform.io/hashicorp/google/7.45.0", platform);
    mkdirSync(to, { recursive: true });
    try {
      linkSync(join(from, name), join(to, `${name}_v7.45.0_x5`));
    } catch {
      copyFileSync(join(from, name), join(to, `${name}_v7.45.0_x5`));
    }
    writeFileSync(
      join(this.folder, "terraform.rc"),
      `provider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\n`,
    );
  }

  /** What a build leaves, with nothing in it: nobody runs it here. */
  #built(): void {
    const artefact = join(this.folder, "artefact");
    mkdirSync(artefact);
    const zipSha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const names = { zip: "cell.zip", zipSha256, zipBytes: 1, sbom: "sbom.cdx.json" };
    writeFileSync(join(artefact, names.zip), "");
    writeFileSync(join(artefact, names.sbom), "{}");
    const what = { digest: sha, commit: "c0ffee", modified: false };
    writeFileSync(join(artefact, "artefact.json"), JSON.stringify({ ...what, ...names }));
    for (const image of ["router", "publisher"]) {
      mkdirSync(join(this.folder, "images", image), { recursive: true });
      const index = { schemaVersion: 2, manifests: [{ digest: `sha256:${sha}` }] };
      writeFileSync(join(this.folder, "images", image, "index.json"), JSON.stringify(index));
    }
  }
}
