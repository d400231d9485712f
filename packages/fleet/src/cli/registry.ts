import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import {
  type Connections,
  type Fleet,
  findCredentials,
  loadFleet,
  openConnections,
} from "@proveniq/control-plane";
import { Market } from "@proveniq/control-plane/market";
import {
  type FleetState,
  LocalMarket,
  LocalRegistry,
  planFleet,
  runningState,
} from "@proveniq/local-cloud/fleet";
import { Option } from "commander";
import { CommandError } from "./errors.ts";
import { root, stateDirectory } from "./paths.ts";

/** The fleet that runs here. Throws when none does, or it is not ready. */
export async function runningFleet(options: { stateDir?: string }): Promise<FleetState> {
  const state = await runningState(stateDirectory(options.stateDir));
  if (state === undefined) throw new CommandError("No fleet runs here. Start one with `npm start`.");
  if (state.phase !== "ready") throw new CommandError(`The fleet is ${state.phase}; try again in a moment.`);
  return state;
}

/** Work on the registry of the fleet that runs here. */
export async function withRegistry<T>(
  options: { stateDir?: string },
  work: (registry: LocalRegistry, state: FleetState) => Promise<T>,
): Promise<T> {
  const state = await runningFleet(options);
  const stateDir = stateDirectory(options.stateDir);
  const cells = Object.keys(state.cells);
  const plan = await planFleet({ root, stateDir, portBase: state.portBase, cells });
  const registry = new LocalRegistry(state, plan.config, plan.manifests);
  try {
    return await work(registry, state);
  } finally {
    await registry.close();
  }
}

/** Which registry is meant: the cloud's, by the central project's id, or that of the fleet that runs here. */
export interface RegistryOptions {
  project?: string;
  stateDir?: string;
}

export const registryProjectOption = () =>
  new Option(
    "--project <id>",
    "the registry in the cloud: the central project, by this machine's Google credentials (default: the fleet that runs here)",
  );

/** Who makes changes from here, for the audit. */
export const operator = () => ({ who: userInfo().username, from: hostname() });

/** infra/ as it is. Throws when `project` is not its central one: it is named so that nobody changes another by mistake. */
export async function cloudFleet(project: string): Promise<Fleet> {
  const fleet = await loadFleet(join(root, "infra"));
  const central = fleet.config.central.project;
  if (project !== central)
    throw new CommandError(`The central project is ${central} (infra/fleet.json), not ${project}.`);
  return fleet;
}

/** Work on the registry and databases of the cloud. Throws when `project` is not the central one of infra/fleet.json. */
export async function withCloud<T>(
  project: string,
  work: (connections: Connections, fleet: Fleet) => Promise<T>,
): Promise<T> {
  const fleet = await cloudFleet(project);
  await findCredentials();
  const connections = openConnections(fleet);
  try {
    return await work(connections, fleet);
  } finally {
    await connections.close();
  }
}

/** Work on the registry that is meant, and on its tenants' databases. */
export async function withConnections<T>(
  { project, ...local }: RegistryOptions,
  work: (connections: Connections, manifests: Fleet["manifests"]) => Promise<T>,
): Promise<T> {
  if (project !== undefined)
    return withCloud(project, (connections, { manifests }) => work(connections, manifests));
  return withRegistry(local, ({ connections, manifests }) => work(connections, manifests));
}

/** Work on the market values that are meant: the cloud's, or those of the fleet that runs here. */
export async function withMarket<T>(
  { project, ...local }: RegistryOptions,
  work: (market: Market) => Promise<T>,
): Promise<T> {
  const market = project === undefined ? await localMarket(local) : await cloudMarket(project);
  try {
    return await work(market);
  } finally {
    await market.close();
  }
}

async function cloudMarket(project: string): Promise<Market> {
  const { config, manifests } = await cloudFleet(project);
  await findCredentials();
  return new Market(config, manifests);
}

async function localMarket(options: { stateDir?: string }): Promise<Market> {
  const state = await runningFleet(options);
  const stateDir = stateDirectory(options.stateDir);
  const cells = Object.keys(state.cells);
  const plan = await planFleet({ root, stateDir, portBase: state.portBase, cells });
  return new LocalMarket(state, plan.config, plan.manifests);
}
