import { spawn } from "node:child_process";
import { cp, mkdir, open, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { EnvironmentName } from "@proveniq/contracts";
import type { Fleet } from "../fleet/load.ts";
import { RefusedError } from "../refused.ts";

/** One of Terraform's states: its root, its place in the state bucket and what its plan is told. */
export interface State {
  root: "bootstrap" | "project" | "cell" | "central" | "edge";
  prefix: string;
  variables: Readonly<Record<string, unknown>>;
}

export interface StatesOptions {
  /** The folder infra/. */
  infra: string;
  /** Where working files are: nothing in it is needed by the next run, which may be on another machine. */
  folder: string;
  name: EnvironmentName;
  fleet: Fleet;
  env: NodeJS.ProcessEnv;
}

/** Terraform's states of an environment, kept in the bucket of its central project. */
export class States {
  readonly #options: StatesOptions;
  #initialised: Promise<unknown> = Promise.resolve();

  private constructor(options: StatesOptions) {
    this.#options = options;
  }

  /** Work on a copy of infra/ in the environment's names: Terraform reads files, and knows no environment. */
  static async open(options: StatesOptions): Promise<States> {
    const { infra, folder, name, fleet } = options;
    await rm(join(folder, "infra"), { recursive: true, force: true });
    for (const each of ["logs", "plans", "data"]) await mkdir(join(folder, each), { recursive: true });
    const leftOut = new Set([".terraform", "node_modules", "releases"]);
    await cp(infra, join(folder, "infra"), {
      recursive: true,
      filter: (path) => !leftOut.has(basename(path)),
    });
    if (name !== "production") {
      const write = (file: string, value: object) =>
        writeFile(join(folder, "infra", file), JSON.stringify(value, null, 2));
      await write("fleet.json", fleet.config);
      for (const [id, manifest] of Object.entries(fleet.manifests))
        await write(`cells/${id}/cell.json`, manifest);
    }
    return new States(options);
  }

  /** Whether a plan would change nothing. Leaves the plan for `apply`. */
  async isApplied(state: State): Promise<boolean> {
    await this.#init(state);
    const file = await this.#variables(state);
    const code = await this.#terraform(state, [
      "plan",
      "-input=false",
      "-detailed-exitcode",
      "-lock-timeout=5m",
      `-out=${this.#file("plans", state, "tfplan")}`,
      `-var-file=${file}`,
    ]);
    if (code === 0 || code === 2) return code === 0;
    throw await this.#failure("plan", state);
  }

  /** Applies what `isApplied` has planned. Rejects with what Terraform said. */
  async apply(state: State): Promise<void> {
    const plan = this.#file("plans", state, "tfplan");
    const code = await this.#terraform(state, ["apply", "-input=false", "-lock-timeout=5m", plan]);
    if (code !== 0) throw await this.#failure("apply", state);
  }

  /** Take over what is there already, unless the state holds it. */
  async adopt(state: State, address: string, id: string): Promise<void> {
    await this.#init(state);
    if ((await this.text(state)).includes(`"${id}"`)) return;
    const file = await this.#variables(state);
    const code = await this.#terraform(state, [
      "import",
      "-input=false",
      "-lock-timeout=5m",
      `-var-file=${file}`,
      address,
      id,
    ]);
    if (code !== 0) throw await this.#failure("import", state);
  }

  /** Takes away all of a state. */
  async destroy(state: State): Promise<void> {
    await this.#init(state);
    const file = await this.#variables(state);
    const args = ["destroy", "-auto-approve", "-input=false", "-lock-timeout=5m", `-var-file=${file}`];
    if ((await this.#terraform(state, args)) !== 0) throw await this.#failure("destroy", state);
  }

  /** The state as it is kept; empty before the first apply. */
  async text(state: State): Promise<string> {
    await this.#init(state);
    if ((await this.#terraform(state, ["state", "pull"])) !== 0) throw await this.#failure("state", state);
    return readFile(this.#file("logs", state, "log"), "utf8");
  }

  /** One at a time: states of one root share its lock file. */
  #init(state: State): Promise<void> {
    const bucket = `${this.#options.fleet.config.central.project}-tfstate`;
    const next = this.#initialised.then(async () => {
      const backend = [`-backend-config=bucket=${bucket}`, `-backend-config=prefix=${state.prefix}`];
      const code = await this.#terraform(state, ["init", "-input=false", "-reconfigure", ...backend]);
      if (code !== 0) throw await this.#failure("init", state);
    });
    this.#initialised = next.catch(() => undefined);
    return next;
  }

  async #variables(state: State): Promise<string> {
    const file = this.#file("plans", state, "tfvars.json");
    await writeFile(file, JSON.stringify(state.variables));
    return file;
  }

  #file(kind: "logs" | "plans", { prefix }: State, suffix: string): string {
    return join(this.#options.folder, kind, `${prefix.replaceAll("/", "-")}.${suffix}`);
  }

  /** Writes into a file and not to us: it must go on to its end, and let go of the state, when we are killed. */
  async #terraform(state: State, args: readonly string[]): Promise<number> {
    const { folder, env, fleet } = this.#options;
    // Budgets are in no project, and a person's credentials name none whose quota they use: it is the centre's, as a deployer's is.
    const quota =
      state.root === "cell"
        ? { USER_PROJECT_OVERRIDE: "true", GOOGLE_BILLING_PROJECT: fleet.config.central.project }
        : {};
    const log = await open(this.#file("logs", state, "log"), "w", 0o600);
    try {
      return await new Promise<number>((resolve, reject) => {
        const [verb = "", ...rest] = args;
        const child = spawn("terraform", [verb, ...(verb === "state" ? rest : ["-no-color", ...rest])], {
          cwd: join(folder, "infra/terraform/roots", state.root),
          env: {
            TF_CLI_ARGS_plan: "-parallelism=4",
            TF_CLI_ARGS_apply: "-parallelism=4",
            ...quota,
            ...env,
            TF_DATA_DIR: join(folder, "data", state.prefix.replaceAll("/", "-")),
            TF_IN_AUTOMATION: "1",
            CHECKPOINT_DISABLE: "1",
          },
          stdio: ["ignore", log.fd, log.fd],
          // A terminal's Ctrl-C ends us, and lets it finish.
          detached: true,
        });
        child.on("error", () => reject(new RefusedError("terraform is not installed, or not in the PATH")));
        child.on("close", (code) => resolve(code ?? 1));
      });
    } finally {
      await log.close();
    }
  }

  async #failure(what: string, state: State): Promise<RefusedError> {
    const file = this.#file("logs", state, "log");
    const text = await readFile(file, "utf8");
    const at = text.indexOf("Error: ");
    const said = at === -1 ? text.slice(-1500) : text.slice(at, at + 1500);
    const held = /ID:\s+(\S+)/.exec(text)?.[1];
    const lock =
      text.includes("Error acquiring the state lock") && held !== undefined
        ? `\nSomebody holds it, or was killed with it. When nobody works on it: gcloud storage rm gs://${this.#options.fleet.config.central.project}-tfstate/${state.prefix}/default.tflock`
        : "";
    return new RefusedError(`terraform ${what} of ${state.prefix} failed (${file}):\n${said.trim()}${lock}`);
  }
}
