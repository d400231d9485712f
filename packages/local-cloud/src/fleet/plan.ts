import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { CellManifest, FleetConfig } from "@proveniq/contracts";
import { loadFleet } from "@proveniq/control-plane";
import { busyPorts, describeBusy } from "../net/listening.ts";
import { localFleet, localHost, selectCells } from "./hosts.ts";
import { localKeys } from "./identity.ts";
import { type LocalPorts, localPorts } from "./ports.ts";
import { type SeedTenant, seedsFor } from "./seeds.ts";
import type { FleetState } from "./state.ts";

/** All that is decided before anything starts. */
export interface FleetPlan {
  /** With local host names and only the cells that run. */
  config: FleetConfig;
  /** Of the cells that run, in the order of their ids. */
  manifests: Record<string, CellManifest>;
  ports: LocalPorts;
  /** A cell's place among all cells, by which its ports go. */
  place(cell: string): number;
  seeds: readonly SeedTenant[];
  state: FleetState;
}

export interface PlanOptions {
  root: string;
  stateDir: string;
  portBase: number;
  cells?: readonly string[];
}

/** Read infra/ and decide what runs where. Starts nothing. */
export async function planFleet(options: PlanOptions): Promise<FleetPlan> {
  const { config: fleet, manifests: all } = await loadFleet(join(options.root, "infra"));
  const ids = Object.keys(all);
  const running = selectCells(ids, options.cells);
  const config = localFleet(fleet, running);
  const manifests = Object.fromEntries(Object.entries(all).filter(([id]) => running.includes(id)));
  const ports = localPorts(options.portBase);
  const place = (cell: string) => ids.indexOf(cell);
  const seeds = seedsFor(running, fleet.zone);
  const routerPort = ports.router;
  const url = (host: string) => `http://${host}:${routerPort}`;
  const tenantHosts = seeds.flatMap((tenant) => tenant.hosts);
  const doors: FleetState["doors"] = Object.fromEntries(
    (["eu", "us"] as const).flatMap((residency) =>
      config.defaults[residency] === undefined
        ? []
        : [[residency, `http://127.0.0.1:${ports.doors[residency]}`]],
    ),
  );
  const addressOf = ({ cellId, hosts: [own] }: SeedTenant): string => {
    const residency = manifests[cellId]?.residency ?? "global";
    if (residency === "global") return url("localhost");
    return doors[residency] ?? url(localHost(own ?? "localhost", fleet.zone));
  };
  const state: FleetState = {
    phase: "starting",
    pid: process.pid,
    run: randomUUID(),
    startedAt: new Date().toISOString(),
    portBase: options.portBase,
    router: url("localhost"),
    control: `http://127.0.0.1:${ports.control}`,
    identity: {
      issuer: `http://127.0.0.1:${ports.issuer}`,
      issuerKeyFile: join(options.stateDir, "issuer-key.json"),
      proofFile: join(options.stateDir, "proof-secrets"),
      keys: await localKeys(keysFile(options.stateDir), seeds),
      addresses: Object.fromEntries(
        seeds.flatMap((seed) => (seed.partner ? [[seed.tenantId, addressOf(seed)]] : [])),
      ),
    },
    metrics: `http://127.0.0.1:${ports.metrics}/metrics`,
    doors,
    directoryFile: join(options.stateDir, "directory.json"),
    central: {
      project: fleet.central.project,
      database: fleet.central.controlDatabase,
      deployDatabase: fleet.central.deployDatabase,
      relay: `127.0.0.1:${ports.central.relay}`,
      emulator: `127.0.0.1:${ports.central.emulator}`,
    },
    warehouse: {
      project: fleet.central.project,
      rest: `http://127.0.0.1:${ports.warehouse.rest}`,
      grpc: `127.0.0.1:${ports.warehouse.grpc}`,
    },
    cells: Object.fromEntries(
      Object.entries(manifests).map(([id, manifest]) => {
        const cell = ports.cell(place(id));
        return [
          id,
          {
            artefact: "",
            api: `http://127.0.0.1:${cell.api}`,
            bulk: `http://127.0.0.1:${cell.bulk}`,
            sink: `http://127.0.0.1:${cell.sink}`,
            relay: `127.0.0.1:${cell.relay}`,
            emulator: `127.0.0.1:${cell.emulator}`,
            project: manifest.project,
            databases: manifest.databases.map((database) => database.id),
          },
        ];
      }),
    ),
    hosts: Object.fromEntries(
      [...Object.keys(fleet.hosts), ...tenantHosts]
        .map((host) => [host, localHost(host, fleet.zone)] as const)
        .filter(([host, local]) => tenantHosts.includes(host) || Object.hasOwn(config.hosts, local))
        .map(([host, local]) => [host, url(local)]),
    ),
  };
  return { config, manifests, ports, place, seeds, state };
}

/** Where the partners' development keys are kept. */
export const keysFile = (stateDir: string): string => join(stateDir, "keys.json");

/** Another fleet in the way holds every port: nobody wants to read them all. */
const mostTold = 4;

/** A sentence for each port of the plan that somebody holds. */
export async function describeBusyPorts(plan: FleetPlan): Promise<string[]> {
  const needed = portsOf(plan);
  const busy = await busyPorts([...needed.keys()]);
  const told = busy
    .slice(0, mostTold)
    .map((b) => `${describeBusy(b)}: ${needed.get(b.port) ?? "the fleet"} needs it`);
  return busy.length > mostTold ? [...told, `and ${busy.length - mostTold} more`] : told;
}

/** A sentence for each port that a fleet would need and somebody holds. */
export async function busyFleetPorts(options: PlanOptions): Promise<string[]> {
  return describeBusyPorts(await planFleet(options));
}

/** Every port that the plan needs, and who needs it. */
function portsOf(plan: FleetPlan): Map<number, string> {
  const { ports } = plan;
  const needed = new Map([
    [ports.router, "the router"],
    [ports.control, "the control endpoint"],
    [ports.issuer, "the development issuer"],
    [ports.metrics, "the router's metrics"],
    ...Object.entries(plan.state.doors).map(
      ([residency, url]) => [Number(new URL(url).port), `the front door of ${residency}`] as const,
    ),
    [ports.warehouse.rest, "the warehouse"],
    [ports.warehouse.grpc, "the warehouse"],
    [ports.central.emulator, "the central project's emulator"],
    [ports.central.relay, "the central project's relay"],
  ]);
  for (const id of Object.keys(plan.manifests)) {
    const cell = ports.cell(plan.place(id));
    needed.set(cell.api, `cell ${id}`);
    needed.set(cell.bulk, `the imports of cell ${id}`);
    needed.set(cell.sink, `the sink of cell ${id}`);
    needed.set(cell.beside.api, `the next version of cell ${id}`);
    needed.set(cell.beside.bulk, `the imports of cell ${id}'s next version`);
    needed.set(cell.emulator, `the emulator of cell ${id}`);
    needed.set(cell.relay, `the relay of cell ${id}`);
  }
  return needed;
}
