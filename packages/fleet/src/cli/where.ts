import { join, resolve } from "node:path";
import { environmentName } from "@proveniq/contracts";
import { type Fleet, fleetIn, loadFleet } from "@proveniq/control-plane";
import { runIn } from "@proveniq/control-plane/deploy";
import {
  type CloudAccess,
  cloudEnvironment,
  type Environment,
  titleOf,
} from "@proveniq/control-plane/environment";
import { type LocalEnvironment, openLocalEnvironment, runningState } from "@proveniq/local-cloud/fleet";
import { type Command, Option } from "commander";
import { readCliConfig } from "../config.ts";
import type { Output } from "../output/print.ts";
import { type Change, mutate } from "./change.ts";
import { confirmTyped } from "./confirm.ts";
import { CommandError, exitCodes } from "./errors.ts";
import { root, stateDirectory } from "./paths.ts";

const names = ["local", ...environmentName.options] as const;
type Name = Environment["name"];

/** Opens the environment of a name; what opens this machine's and the clouds is the last of this file. */
export type OpenEnvironment = (name: Name, stateDir: string) => Promise<Environment>;

interface GlobalOptions {
  env: Name;
  confirm?: string;
  stateDir?: string;
}

/** Commands that are about this machine or the repository, and about no environment. */
const here = new WeakSet<Command>();

export function ofThisMachine(command: Command): Command {
  here.add(command);
  return command;
}

/** Where a command works: the environment that was asked for with --env, and how its work is framed. */
export class Where {
  readonly #output: Output;
  readonly #open: OpenEnvironment;
  #options: GlobalOptions = { env: "local" };

  constructor(output: Output, open: OpenEnvironment = openEnvironment) {
    this.#output = output;
    this.#open = open;
  }

  /** Give the whole program the options that say where. */
  attach(program: Command): void {
    program
      .addOption(
        new Option("--env <environment>", "where: the fleet of this machine, or a cloud of infra/fleet.json")
          .choices(names)
          .default(readCliConfig().environment, "FLEET_ENV, or local"),
      )
      .option(
        "--confirm <name>",
        "outside this machine, what a command that changes something asks to be typed",
      )
      .option(
        "--state-dir <folder>",
        "where this machine's fleet keeps its state (default: .fleet in the repository)",
      )
      .hook("preAction", (_, command) => this.#enter(program, command));
  }

  get name(): Name {
    return this.#options.env;
  }

  /** What commands end with that are about the same environment. */
  get suffix(): string {
    return this.name === "local" ? "" : ` --env ${this.name}`;
  }

  get stateDir(): string {
    return stateDirectory(this.#options.stateDir);
  }

  /** The folder infra/ of the repository, or the one that FLEET_INFRA names. */
  get infra(): string {
    return resolve(readCliConfig().infra ?? join(root, "infra"));
  }

  /** infra/ under the environment's names; this machine's fleet is made from production's. */
  async fleet(): Promise<Fleet> {
    const fleet = await loadFleet(this.infra);
    return fleetIn(fleet, this.name === "local" ? "production" : this.name);
  }

  /** Look at it, whatever of it works. */
  async look<T>(work: (environment: Environment) => Promise<T>): Promise<T> {
    const environment = await this.#open(this.name, this.stateDir);
    try {
      return await work(environment);
    } finally {
      await environment.close();
    }
  }

  /** Read from it. Rejects when it is not ready to be worked on. */
  read<T>(work: (environment: Environment) => Promise<T>): Promise<T> {
    return this.look(async (environment) => {
      await environment.ready();
      return work(environment);
    });
  }

  /** Change something in it: the only way in which a command does; see `mutate`. */
  mutate<T>(change: Change, work: Parameters<typeof mutate<T>>[3]): Promise<T> {
    const { confirm } = this.#options;
    return this.look((environment) => mutate(environment, change, { output: this.#output, confirm }, work));
  }

  /**
   * Let somebody go on who has typed a name, before there is anything that could hold an audit: what makes a cloud or takes it away.
   * Throws `CommandError` when it was not typed.
   */
  async confirm(what: string): Promise<void> {
    this.#output.err(what);
    await confirmTyped(this.name, this.#options.confirm);
  }

  async #enter(program: Command, command: Command): Promise<void> {
    const options = program.opts<GlobalOptions>();
    const asked = program.getOptionValueSource("env") === "cli" ? options.env : undefined;
    if (asked !== undefined && asked !== "local") {
      if (here.has(command))
        throw new CommandError(
          `fleet ${pathOf(command)} is about this machine and knows no --env ${asked}.`,
          exitCodes.usage,
        );
      if (options.stateDir !== undefined)
        throw new CommandError(
          `--state-dir is of this machine's fleet, and not of ${asked}.`,
          exitCodes.usage,
        );
    }
    // A variable that was set for other commands does not matter to what is about this machine.
    if (asked === undefined && (here.has(command) || options.stateDir !== undefined)) options.env = "local";
    this.#options = options;
    if (this.name === "local") return;
    const { config } = await this.fleet();
    // Beside the result, which may be JSON.
    this.#output.err(`Environment: ${titleOf(this.name, config)}`);
  }
}

/** `cells add`. */
function pathOf(command: Command): string {
  const { parent } = command;
  return parent === null || parent.parent === null ? command.name() : `${pathOf(parent)} ${command.name()}`;
}

/** Work on the fleet that runs here. Rejects when none does. */
export async function onThisMachine<T>(
  { stateDir }: Where,
  work: (environment: LocalEnvironment) => Promise<T>,
): Promise<T> {
  const environment = await openLocal(stateDir);
  try {
    return await work(environment);
  } finally {
    await environment.close();
  }
}

async function openLocal(stateDir: string): Promise<LocalEnvironment> {
  const state = await runningState(stateDir);
  if (state === undefined) throw new CommandError("No fleet runs here. Start one with `npm start`.");
  return openLocalEnvironment(root, stateDir, state);
}

async function openEnvironment(name: Name, stateDir: string): Promise<Environment> {
  if (name === "local") return openLocal(stateDir);
  const { canaryKey, inherited, proofSecrets } = readCliConfig();
  const access: CloudAccess = { run: runIn(root, inherited), canaryKey, proofSecrets };
  return cloudEnvironment(await loadFleet(join(root, "infra")), name, access);
}
