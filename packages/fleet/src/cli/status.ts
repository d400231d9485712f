import { type Fleet, fileTarget } from "@proveniq/control-plane";
import { openWarehouse } from "@proveniq/control-plane/analytics";
import { nodeProver } from "@proveniq/control-plane/proof";
import {
  type CellPlace,
  type FleetFacts,
  getJson,
  placedIn,
  placedInCloud,
  probe,
  probeCell,
  probeDatabase,
} from "@proveniq/control-plane/status";
import {
  type FleetState,
  LocalRegistry,
  localProver,
  planFleet,
  runningState,
} from "@proveniq/local-cloud/fleet";
import { readCliConfig } from "../config.ts";
import { CommandError } from "./errors.ts";
import { root, stateDirectory } from "./paths.ts";
import { cloudFleet, type RegistryOptions } from "./registry.ts";

export interface StatusOptions extends RegistryOptions {
  json?: boolean;
}

/** Ask everything at once, the fleet of this machine or the cloud's, as the manifests name it. */
export async function gather(options: StatusOptions): Promise<FleetFacts> {
  const { project } = options;
  return project === undefined ? gatherLocal(options) : gatherCloud(await cloudFleet(project));
}

async function gatherLocal(options: StatusOptions): Promise<FleetFacts> {
  const stateDir = stateDirectory(options.stateDir);
  const state = await runningState(stateDir);
  if (state === undefined) throw new CommandError("No fleet runs here. Start one with `npm start`.");
  const plan = await planFleet({
    root,
    stateDir,
    portBase: state.portBase,
    cells: Object.keys(state.cells),
  });
  const prove = await localProver(state);
  const registry = new LocalRegistry(state, plan.config, plan.manifests);
  const directory = fileTarget(state.directoryFile);
  const [cells, router, registered, published, warehouse] = await Promise.all([
    Promise.all(
      Object.entries(plan.manifests).flatMap(([id, manifest]) => {
        const place = placeIn(state, id);
        const { maxReplicaLagSeconds, marketDatabase, residency } = manifest;
        return place === undefined
          ? []
          : [
              probeCell(id, {
                ...place,
                marketDatabase: marketDatabase.id,
                maxReplicaLagSeconds,
                prove: (url) => prove(residency, url),
              }),
            ];
      }),
    ),
    probe((signal) => answers(`${state.router}/v1/cell`, signal)),
    probeDatabase(() => placedIn(registry.connections.control)),
    probe(async () => {
      const snapshot = await directory.read();
      if (snapshot === undefined) throw new Error(`there is none at ${directory.name}`);
      const tenants = Object.entries(snapshot.tenants).map(
        ([tenant, [cellId, epoch]]) => [tenant, { cellId, epoch }] as const,
      );
      return { version: snapshot.version, tenants: Object.fromEntries(tenants) };
    }),
    probe(async (signal) => {
      await getJson(`${state.warehouse.rest}/health`, signal);
      return true as const;
    }),
  ]);
  void registry.close();
  return { at: now(), cells, router, registry: registered, directory: published, warehouse };
}

function placeIn({ cells }: FleetState, id: string) {
  const cell = cells[id];
  if (cell === undefined) return undefined;
  const { api, bulk, sink, project, databases, relay } = cell;
  return { api, bulk, sink, project, databases, emulatorHost: relay };
}

/** The cloud by its manifests: cells by their origins, databases and registry with the operator's own credentials. */
async function gatherCloud({ config, manifests }: Fleet): Promise<FleetFacts> {
  const { project } = config.central;
  const prove = nodeProver(readCliConfig().proofSecrets);
  const [host = config.zone] = Object.entries(config.hosts).flatMap(([name, { kind }]) =>
    kind === "global" ? [name] : [],
  );
  const [cells, router, registry, warehouse] = await Promise.all([
    Promise.all(
      Object.entries(manifests).map(([id, m]) => {
        const place: CellPlace = {
          ...m.origins,
          sink: undefined,
          prove: (url) => prove(m.residency, url),
          project: m.project,
          databases: m.databases.map((d) => d.id),
          marketDatabase: m.marketDatabase.id,
          emulatorHost: undefined,
          maxReplicaLagSeconds: m.maxReplicaLagSeconds,
        };
        return probeCell(id, place);
      }),
    ),
    probe((signal) => answers(`https://${host}/v1/cell`, signal)),
    probeDatabase(() => placedInCloud(config)),
    probe(async () => {
      await openWarehouse({ project }).getDatasets({ maxResults: 1 });
      return true as const;
    }),
  ]);
  return { at: now(), cells, router, registry, directory: undefined, warehouse };
}

/** Whatever the answer is: an answer of the router for a dead cell is not a dead router. */
async function answers(url: string, signal: AbortSignal): Promise<true> {
  const response = await fetch(url, { signal, redirect: "error" });
  await response.body?.cancel();
  return true;
}

const now = () => new Date().toISOString();
