import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { DirectorySnapshot } from "@proveniq/contracts";
import {
  addTenant,
  buildSnapshot,
  changesBetween,
  fileTarget,
  openConnections,
  openTarget,
  publishDirectory,
  RefusedError,
  removeTenant,
  usedDirectory,
  whoIsOverHttp,
} from "@proveniq/control-plane";
import { openWarehouse } from "@proveniq/control-plane/analytics";
import type { Environment } from "@proveniq/control-plane/environment";
import { gatherFacts, getJson, type PublishedPlaces, placedIn } from "@proveniq/control-plane/status";
import type { Origin } from "@proveniq/db/control";
import { stayLocal } from "../config.ts";
import { controlClient } from "../control/client.ts";
import { LocalTarget } from "./deploy-target.ts";
import { clientHost, localHost } from "./hosts.ts";
import { type FleetPlan, planFleet } from "./plan.ts";
import { localProver } from "./proof.ts";
import { type FleetState, readState } from "./state.ts";

/** The router is told of a new file at once; and a question of status has 1.3 s in all. */
const routerReadsMs = 500;
const routerAnswersMs = 1_000;
/** Who only looks. */
const nobody: Origin = { who: "nobody", from: "nowhere" };

/** A fleet that runs on this machine. */
export interface LocalEnvironment extends Environment {
  readonly state: FleetState;
  /** Place a tenant, and tell routers later. */
  readonly place: (wanted: Parameters<typeof addTenant>[2], by: Origin) => ReturnType<typeof addTenant>;
  /** Write the directory that the router reads. `begin`: the registry is new, and an older directory is nothing to it. */
  readonly publish: (by: Origin, how?: { begin?: boolean }) => Promise<void>;
}

/**
 * The fleet of this machine that `state` tells of, through the relays that it names, as all else; `plan` has local hosts and the
 * manifests of the cells that run.
 */
export function localEnvironment(
  state: FleetState,
  { config, manifests }: Pick<FleetPlan, "config" | "manifests">,
): LocalEnvironment {
  stayLocal();
  const stateDir = dirname(state.directoryFile);
  const connections = openConnections({ config, manifests }, (cell) => {
    const place = cell === undefined ? state.central : state.cells[cell];
    if (place === undefined) throw new Error(`The cell ${cell} does not run here`);
    return place.relay;
  });
  const { project, rest } = state.warehouse;
  const hostHere = (host: string) => localHost(host, config.zone);
  const routerAs = (host: string) => {
    const url = new URL(state.router);
    url.hostname = host;
    return url.origin;
  };
  const usedByRouter = async () =>
    usedDirectory.parse(
      await getJson(new URL("/directory", state.metrics).href, AbortSignal.timeout(routerAnswersMs)),
    );
  const publishedHere = async (): Promise<PublishedPlaces> => {
    const target = fileTarget(state.directoryFile);
    const snapshot = await target.read();
    if (snapshot === undefined) throw new Error(`there is none at ${state.directoryFile}`);
    const tenants = Object.entries(snapshot.tenants).map(
      ([tenant, [cellId, epoch]]) => [tenant, { cellId, epoch }] as const,
    );
    return {
      version: snapshot.version,
      tenants: Object.fromEntries(tenants),
      digest: target.digest?.(),
      astray: await astrayFrom(snapshot).catch(() => []),
    };
  };
  /** What differs besides tenants from what would be published now. */
  const astrayFrom = async (snapshot: DirectorySnapshot): Promise<string[]> => {
    const { version, placements } = await connections.control.snapshot();
    const origins = await environment.publication(fileTarget(state.directoryFile), nobody).origins();
    const wanted = buildSnapshot({ version, placements }, config, manifests, origins, new Date());
    return changesBetween(snapshot, wanted).flatMap(({ what, name }) =>
      what === "tenant" ? [] : [`${what} ${name}`],
    );
  };
  const environment: LocalEnvironment = {
    name: "local",
    title: `the fleet at ${state.router}`,
    suffix: "",
    state,
    config,
    manifests,
    // Cells here take no live keys, and cells in production none of these.
    keys: "dev",
    connections,
    warehouse: { bigquery: openWarehouse({ project, endpoint: rest }), project },
    get deploys() {
      return new LocalTarget(environment, stateDir);
    },
    ready: async () => {
      if (state.phase !== "ready")
        throw new RefusedError(`The fleet is ${state.phase}; try again in a moment.`);
    },
    url: (residency) => {
      const hosts = Object.entries(config.hosts);
      const [host = "localhost"] =
        hosts.find(([, kind]) => kind.kind === "region" && kind.residency === residency) ?? [];
      return routerAs(host);
    },
    hostHere,
    hostOfClients: (here) => clientHost(here, config.zone),
    keyOf: (tenantId) => state.identity.keys[tenantId],
    directory: (to, edgeConfig) => openTarget(to ?? state.directoryFile, edgeConfig),
    publication: (target, origin) => ({
      target,
      origin,
      control: connections.control,
      used: usedByRouter,
      // Each version of a cell has a place of its own.
      placesMove: true,
      whoIs: async (url, residency) => whoIsOverHttp({ prove: await localProver(state) })(url, residency),
      config,
      manifests,
      origins: async () => {
        // As the fleet last wrote it down: it does so before it publishes that.
        const now = await readState(stateDir);
        if (now?.run !== state.run) throw new RefusedError("the fleet has been stopped, or started anew");
        return Object.fromEntries(
          Object.entries(now.cells).map(([id, { api, bulk }]) => [id, { api, bulk }]),
        );
      },
    }),
    place: (wanted, by) => {
      const hosts = (wanted.hosts ?? []).map(hostHere);
      return addTenant(connections, { config, manifests }, { ...wanted, hosts }, by);
    },
    publish: async (by, how = {}) => {
      const target = fileTarget(state.directoryFile);
      await publishDirectory({ ...environment.publication(target, by), ...how });
    },
    addTenant: async (wanted, by) => {
      const added = await environment.place(wanted, by);
      await environment.publish(by);
      const hosts = wanted.hosts ?? [];
      const next = hosts.map((host) => `Its host ${host} is ${routerAs(hostHere(host))} on this machine.`);
      return { ...added, next };
    },
    removeTenant: async (tenantId, by) => {
      await removeTenant(connections, { config, manifests }, tenantId, by);
      await environment.publish(by);
      return [];
    },
    facts: async () => {
      const prove = await localProver(state);
      return gatherFacts({
        cells: Object.entries(manifests).flatMap(
          ([id, { marketDatabase, maxReplicaLagSeconds, residency }]) => {
            const place = state.cells[id];
            if (place === undefined) return [];
            return [
              {
                ...place,
                id,
                pool: connections.cell(id),
                marketDatabase: marketDatabase.id,
                maxReplicaLagSeconds,
                prove: (url: string) => prove(residency, url),
              },
            ];
          },
        ),
        router: state.router,
        registry: () => placedIn(connections.control),
        directory: publishedHere,
        used: async () => {
          const [there, used] = await Promise.all([publishedHere(), usedByRouter()]);
          if (used.version === there.version && used.digest === there.digest) return used;
          // What was published this second is read in a moment.
          await sleep(routerReadsMs);
          return usedByRouter();
        },
        warehouse: (signal) => getJson(`${rest}/health`, signal),
        troubles: () => controlClient(state.control).troubles(),
      });
    },
    close: () => connections.close(),
  };
  return environment;
}

/** The fleet that runs from a repository, as its state tells. */
export async function openLocalEnvironment(
  root: string,
  stateDir: string,
  state: FleetState,
): Promise<LocalEnvironment> {
  const cells = Object.keys(state.cells);
  return localEnvironment(state, await planFleet({ root, stateDir, portBase: state.portBase, cells }));
}
