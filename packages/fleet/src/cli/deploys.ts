import { join } from "node:path";
import { loadFleet, type Manifests } from "@proveniq/control-plane";
import {
  type Bake,
  CloudTarget,
  type DeployRequest,
  type DeployTarget,
  runIn,
} from "@proveniq/control-plane/deploy";
import { nodeProver } from "@proveniq/control-plane/proof";
import { LocalTarget } from "@proveniq/local-cloud/fleet";
import { Option } from "commander";
import { readCliConfig } from "../config.ts";
import { confirmTyped } from "./confirm.ts";
import { parseDuration } from "./duration.ts";
import { CommandError, exitCodes } from "./errors.ts";
import { root, stateDirectory } from "./paths.ts";
import { operator, withCloud, withRegistry } from "./registry.ts";

export type TargetName = "local" | "cloud";

export interface TargetOptions {
  target: TargetName;
  confirm?: string;
  stateDir?: string;
}

export const targetOption = () =>
  new Option("--target <where>", "local: the fleet that runs here; cloud: the project of the cell's manifest")
    .choices(["local", "cloud"])
    .default("local");

/** What deploys work on, for one target. */
export interface Deploying {
  target: DeployTarget;
  book: DeployRequest["book"];
  manifests: Manifests;
  origin: DeployRequest["origin"];
}

/** Work on the deploys of a target. */
export async function withTarget<T>(options: TargetOptions, work: (on: Deploying) => Promise<T>): Promise<T> {
  const origin = operator();
  if (options.target === "local")
    return withRegistry(options, (registry, state) => {
      const target = new LocalTarget(state, stateDirectory(options.stateDir), registry);
      return work({ target, book: registry.connections.deploys, manifests: registry.manifests, origin });
    });
  const fleet = await loadFleet(join(root, "infra"));
  const { canaryKey, inherited, proofSecrets } = readCliConfig();
  return withCloud(fleet.config.central.project, ({ deploys }, { manifests }) => {
    const target = new CloudTarget({
      fleet,
      run: runIn(root, inherited),
      canaryKey,
      prove: nodeProver(proofSecrets),
    });
    return work({ target, book: deploys, manifests, origin });
  });
}

/** Refuse an id that is no cell's. */
export function knownCell(manifests: Manifests, id: string): string {
  if (Object.hasOwn(manifests, id)) return id;
  throw new CommandError(
    `There is no cell ${id}. Cells: ${Object.keys(manifests).join(", ")}.`,
    exitCodes.usage,
  );
}

/** What is changed in the cloud has to be typed; see `confirmTyped`. */
export async function confirmed(
  { target, confirm }: TargetOptions,
  what: string,
  where: string,
): Promise<void> {
  if (target === "cloud") await confirmTyped(what, where, confirm);
}

export interface BakeOptions {
  bake?: number;
  window?: number;
}

/** `0` for not at all, else as `parseDuration`. */
export const bakeSeconds = (text: string): number => (text === "0" ? 0 : parseDuration(text));

/** The cloud's metrics come by the minute; here they are there at once. */
export function bakeOf({ bake, window }: BakeOptions, target: TargetName): Bake {
  const usual = target === "local" ? { seconds: 20, windowSeconds: 10 } : { seconds: 600, windowSeconds: 60 };
  const total = bake ?? usual.seconds;
  return {
    seconds: total,
    windowSeconds: window ?? (total === 0 ? usual.windowSeconds : Math.min(usual.windowSeconds, total)),
  };
}

/** Ends with the first Ctrl-C, and says what happens then; a second one ends the process. */
export function untilInterrupted(say: (text: string) => void): { signal: AbortSignal; done(): void } {
  const abort = new AbortController();
  const onSignal = () => {
    if (abort.signal.aborted) process.exit(exitCodes.interrupted);
    say("Interrupted: putting back what was begun. Again to leave it as it is.");
    abort.abort(new Error("interrupted"));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: abort.signal,
    done: () => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
