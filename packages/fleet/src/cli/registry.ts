import {
  type FleetState,
  LocalMarket,
  LocalRegistry,
  planFleet,
  runningState,
} from "@proveniq/local-cloud/fleet";
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

/** Work on the market values of the fleet that runs here. */
export async function withMarket<T>(
  options: { stateDir?: string },
  work: (market: LocalMarket) => Promise<T>,
): Promise<T> {
  const state = await runningFleet(options);
  const stateDir = stateDirectory(options.stateDir);
  const cells = Object.keys(state.cells);
  const plan = await planFleet({ root, stateDir, portBase: state.portBase, cells });
  const market = new LocalMarket(state, plan.config, plan.manifests);
  try {
    return await work(market);
  } finally {
    await market.close();
  }
}
