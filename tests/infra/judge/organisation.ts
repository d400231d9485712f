import { execFile } from "node:child_process";
import { copyFileSync, cpSync, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Fleet, projectsOf, residenciesOf, stateVariables } from "../fleet.ts";
import { cliConfiguration, type Root, roots } from "../terraform.ts";
import { Judge, type Seed, seed } from "./judge.ts";

/** A state: of which root, and of what; with what it is told when it is applied before it can be whole. */
export type State = readonly [root: Root, name: string, before?: Record<string, unknown>];
export const nameOf = ([root, name]: State): string => (root === name ? root : `${root}/${name}`);

/** What a run of Terraform came to. */
export interface Ran {
  code: number;
  text: string;
  seconds: number;
}

export interface Where {
  provider: string;
  controlPlane: string;
  /** A folder that holds infra/, which is copied. */
  repository: string;
  fleet: Fleet;
  change?: (seed: Seed) => void;
}

/** An organisation of which nothing is there but projects, on this machine; states are applied to it by who does so in reality. */
export class Organisation {
  readonly judge: Judge;
  readonly fleet: Fleet;
  readonly #folder: string;

  private constructor(judge: Judge, fleet: Fleet, folder: string) {
    this.judge = judge;
    this.fleet = fleet;
    this.#folder = folder;
  }

  static async found({ provider, controlPlane, repository, fleet, change }: Where): Promise<Organisation> {
    let seeded: unknown;
    const judge = await Judge.start(controlPlane, (known) => {
      for (const [n, project] of projectsOf(fleet).entries())
        known.projects[project] ??= `${200_000_000_001 + n}`;
      change?.(known);
      seeded = known;
    });
    const { projects } = seed.parse(seeded);
    // Every project has this agent, and the stand-in does not know it.
    for (const [project, number] of Object.entries(projects)) {
      const email_address = `service-${number}@gs-project-accounts.iam.gserviceaccount.com`;
      await judge.put("storage.googleapis.com", `projects/${project}/serviceAccount`, { email_address });
    }
    const folder = mkdtempSync(join(tmpdir(), "organisation-"));
    cpSync(join(repository, "infra"), join(folder, "infra"), {
      recursive: true,
      filter: (path) => !path.includes(".terraform") && !path.includes("node_modules"),
    });
    // Terraform looks into the whole folder for a checksum.
    mkdirSync(join(folder, "plugin"));
    const [from, to] = [
      join(provider, "terraform-provider-google"),
      join(folder, "plugin", "terraform-provider-google"),
    ];
    try {
      linkSync(from, to);
    } catch {
      copyFileSync(from, to);
    }
    writeFileSync(join(folder, "terraform.rc"), cliConfiguration(join(folder, "plugin")));
    // Batches are sent after a moment instead of ten seconds: the same requests, sooner. Long enough for all grants of a project to
    // be in one, because after each the provider waits for some seconds.
    for (const root of roots) {
      writeFileSync(
        join(folder, "infra/terraform/roots", root, "zz_override.tf"),
        'terraform {\n  backend "local" {}\n}\nprovider "google" {\n  batching {\n    send_after = "2s"\n  }\n}\n',
      );
    }
    return new Organisation(judge, fleet, folder);
  }

  get infra(): string {
    return join(this.#folder, "infra");
  }

  /** Who looks at every state and changes none. */
  get planner(): string {
    return `planner@${this.fleet.config.central.project}.iam.gserviceaccount.com`;
  }

  /** Who applies a state: persons what is applied rarely, deployers what each deploy changes. */
  callerOf([root, name]: State): string {
    const { project } = this.fleet.config.central;
    if (root === "cell") return `deploy-${name}@${project}.iam.gserviceaccount.com`;
    return root === "edge" ? `deploy-edge@${project}.iam.gserviceaccount.com` : "ada@proveniq.io";
  }

  /** Every state, in waves: what is in one does not wait for one another. A cell comes twice: it is let read its proof in between. */
  waves(): State[][] {
    const cells = Object.keys(this.fleet.cells);
    return [
      [["bootstrap", "bootstrap"]],
      projectsOf(this.fleet).map((p): State => ["project", p]),
      cells.map((id): State => ["cell", id, { proof: false }]),
      [["central", "central"]],
      [
        ...cells.map((id): State => ["cell", id]),
        ...residenciesOf(this.fleet).map((r): State => ["edge", r]),
      ],
    ];
  }

  /** Every state as it is when all is done, once. */
  states(): State[] {
    return this.waves()
      .flat()
      .filter(([, , before]) => before === undefined);
  }

  apply(state: State, variables: Record<string, unknown> = {}): Promise<Ran> {
    return this.run(state, ["apply", "-auto-approve"], variables);
  }

  /** Whether the same again would change anything: 0 no, 2 yes. As the planner, when asked to. */
  plan(state: State, variables: Record<string, unknown> = {}, caller?: string): Promise<Ran> {
    return this.run(state, ["plan", "-detailed-exitcode"], variables, caller);
  }

  async run(
    state: State,
    command: readonly string[],
    variables: Record<string, unknown> = {},
    caller: string = this.callerOf(state),
  ): Promise<Ran> {
    const [root, name, before] = state;
    const cwd = join(this.infra, "terraform/roots", root);
    const all = { ...stateVariables(this.fleet, root, name), ...before, ...variables };
    const file = join(this.#folder, `${root}-${name}.tfvars.json`);
    writeFileSync(file, JSON.stringify(all));
    const env = {
      TF_DATA_DIR: join(this.#folder, "data", `${root}-${name}`),
      GOOGLE_OAUTH_ACCESS_TOKEN: caller,
    };
    const init = await this.terraform(cwd, ["init", "-input=false", "-no-color"], env);
    // With a provider from a folder, init has made backend and modules ready when it looks for the provider, in vain.
    if (init.code !== 0 && !init.text.includes("development overrides")) return init;
    const more = ["-no-color", "-input=false", "-parallelism=40", "-lock=false", `-var-file=${file}`];
    return this.terraform(
      cwd,
      [...command, ...more, `-state=${join(this.#folder, `${root}-${name}.tfstate`)}`],
      env,
    );
  }

  terraform(cwd: string, args: readonly string[], env: Record<string, string>): Promise<Ran> {
    const begun = performance.now();
    const whole = {
      PATH: process.env["PATH"],
      HOME: this.#folder,
      TF_CLI_CONFIG_FILE: join(this.#folder, "terraform.rc"),
      TF_IN_AUTOMATION: "1",
      CHECKPOINT_DISABLE: "1",
      ...this.judge.environment,
      ...env,
    };
    return new Promise((resolve) => {
      execFile(
        "nice",
        ["-n", "5", "terraform", ...args],
        { cwd, env: whole, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) =>
          resolve({
            code: error === null ? 0 : Number(error.code ?? 1),
            text: `${stdout}${stderr}`,
            seconds: (performance.now() - begun) / 1000,
          }),
      );
    });
  }

  close(): void {
    this.judge.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
