import { readFile } from "node:fs/promises";
import { hostname as machineName, userInfo } from "node:os";
import { dirname } from "node:path";
import {
  type CellManifest,
  directorySnapshot,
  type FleetConfig,
  type Placement,
  scope,
} from "@proveniq/contracts";
import {
  type AddedTenant,
  type AddTenant,
  addTenant,
  type Connections,
  type DirectoryTarget,
  databasesOf,
  fileTarget,
  listTenants,
  type Origins,
  type Publication,
  publishDirectory,
  RefusedError,
  whoIsOverHttp,
} from "@proveniq/control-plane";
import { adoptKey } from "@proveniq/control-plane/access";
import { DeployBook, Registry } from "@proveniq/db/control";
import { DatabasePool } from "@proveniq/db/pool";
import { stayLocal } from "../config.ts";
import { localHost } from "./hosts.ts";
import { patiently } from "./patience.ts";
import { localProver } from "./proof.ts";
import type { SeedTenant } from "./seeds.ts";
import { type FleetState, readState } from "./state.ts";

/** An emulator that has just started, on a busy machine, takes its time over the first call. */
const firstAnswerMs = 60_000;

/** The control plane of a local fleet: its registry and directory, reached through the relays that `state` names, like all else. */
export class LocalRegistry {
  readonly #state: FleetState;
  readonly #config: FleetConfig;
  readonly #manifests: Record<string, CellManifest>;
  readonly #control: DatabasePool;
  readonly #cells = new Map<string, DatabasePool>();
  readonly #connections: Connections;

  /** `config` with local hosts (`localFleet`), and the manifests of the cells that run. */
  constructor(state: FleetState, config: FleetConfig, manifests: Record<string, CellManifest>) {
    stayLocal();
    this.#state = state;
    this.#config = config;
    this.#manifests = manifests;
    const { project, database, deployDatabase, relay } = state.central;
    const allow = [database, deployDatabase];
    this.#control = new DatabasePool({ projectId: project, allow, emulatorHost: relay });
    this.#connections = {
      control: new Registry(this.#control, database),
      deploys: new DeployBook(this.#control, deployDatabase),
      cell: (id) => this.#cell(id),
    };
  }

  /** Every tenant of the fleet, by id. */
  async list(): Promise<Placement[]> {
    return listTenants(this.#connections);
  }

  /** What the access functions of the control plane work on. */
  get connections(): Connections {
    return this.#connections;
  }

  /** Of the cells that run. */
  get manifests(): Readonly<Record<string, CellManifest>> {
    return this.#manifests;
  }

  /** The cell of people who name no tenant. */
  get defaultCell(): string {
    return this.#config.defaults.global.cell;
  }

  /** The router by a host that admits tenants of this residency. */
  urlFor(residency: Placement["residency"]): string {
    const hosts = Object.entries(this.#config.hosts);
    const [host = "localhost"] =
      hosts.find(([, kind]) => kind.kind === "region" && kind.residency === residency) ?? [];
    const url = new URL(this.#state.router);
    url.hostname = host;
    return url.origin;
  }

  /** The router by the local name of a tenant's host, given as in production or local. */
  urlOf(host: string): string {
    const url = new URL(this.#state.router);
    url.hostname = localHost(host, this.#config.zone);
    return url.origin;
  }

  get origin(): { who: string; from: string } {
    return origin();
  }

  /** Add a tenant, its hosts given as in production or local, and publish the directory that has it. */
  async add(tenant: AddTenant): Promise<AddedTenant> {
    const added = await this.#add(tenant);
    await this.publish();
    return added;
  }

  /** Add several tenants and publish once. */
  async seed(tenants: readonly SeedTenant[]): Promise<void> {
    // A transaction that is given up keeps its locks, and the next attempt waits for them: none begins before its emulator answers.
    await Promise.all(this.#pools().map(([pool, database]) => pool.ping(database, firstAnswerMs)));
    // One after the other: they share the registry's counter, and five take no time.
    for (const tenant of tenants) {
      await patiently(`add the tenant ${tenant.tenantId}`, () => this.#addSeed(tenant));
    }
    await patiently("publish the directory", () => this.publish({ begin: true }));
  }

  /** Give an emulator that lost its data the claims of the tenants it holds; resolves with their ids. */
  async refillCell(cell: string): Promise<string[]> {
    const placed = (await this.list()).filter((p) => p.cellId === cell);
    for (const { tenantId, name, cellId, databaseId, hosts } of placed) {
      await this.#add({ tenantId, name, cellId, databaseId, hosts });
      await this.#restoreKey(tenantId);
    }
    return placed.map((p) => p.tenantId);
  }

  /** Fill a registry that lost its data, or all since it was last saved, with the seeds; resolves with the tenants that are known no longer. */
  async refillCentral(tenants: readonly SeedTenant[]): Promise<string[]> {
    const before = directorySnapshot.parse(JSON.parse(await readFile(this.#state.directoryFile, "utf8")));
    for (const tenant of tenants) await this.#addSeed(tenant);
    // Routers believe no directory that is older than theirs, and the lost registry had counted further.
    while ((await this.#connections.control.snapshot()).version <= before.version) {
      await this.#connections.control.bumpVersion();
    }
    await this.publish({ begin: true });
    const known = new Set((await this.list()).map((t) => t.tenantId));
    return Object.keys(before.tenants).filter((id) => !known.has(id));
  }

  /** Write the directory that the router reads. `begin`: the registry is new, and an older directory is nothing to it. */
  async publish(how: { begin?: boolean } = {}): Promise<void> {
    await publishDirectory({ ...this.publication(fileTarget(this.#state.directoryFile)), ...how });
  }

  /** What the control plane publishes from: this registry, the cells that run, and whoever asks. */
  publication(target: DirectoryTarget): Publication {
    return {
      target,
      origin: origin(),
      control: this.#connections.control,
      // Each version of a cell has a place of its own.
      placesMove: true,
      whoIs: async (origin, residency) =>
        whoIsOverHttp({ prove: await localProver(this.#state) })(origin, residency),
      config: this.#config,
      manifests: this.#manifests,
      origins: () => this.#places(),
    };
  }

  /** Where cells are now, as the fleet last wrote it down: it does so before it publishes that. */
  async #places(): Promise<Origins> {
    const now = await readState(dirname(this.#state.directoryFile));
    if (now?.run !== this.#state.run) throw new RefusedError("the fleet has been stopped, or started anew");
    return Object.fromEntries(Object.entries(now.cells).map(([id, { api, bulk }]) => [id, { api, bulk }]));
  }

  async close(): Promise<void> {
    await Promise.all([this.#control, ...this.#cells.values()].map((pool) => pool.close()));
  }

  async #add(tenant: AddTenant): Promise<AddedTenant> {
    const hosts = (tenant.hosts ?? []).map((host) => localHost(host, this.#config.zone));
    const fleet = { config: this.#config, manifests: this.#manifests };
    return addTenant(this.#connections, fleet, { ...tenant, hosts }, origin());
  }

  async #addSeed(seed: SeedTenant): Promise<void> {
    const { partner: _, ...tenant } = seed;
    await this.#add(tenant);
    await this.#restoreKey(tenant.tenantId);
  }

  /** Make the tenant know the key that the fleet gave it when it started, if it gave it one. */
  async #restoreKey(tenantId: string): Promise<void> {
    const key = this.#state.identity.keys[tenantId];
    if (key === undefined) return;
    const what = { label: "Local development", scopes: scope.options };
    await adoptKey(this.#connections, key, what, origin());
  }

  /** Of every emulator one database. */
  #pools(): [DatabasePool, string][] {
    const cells = Object.entries(this.#state.cells).map(([id, { databases }]): [DatabasePool, string] => [
      this.#cell(id),
      databases[0] ?? "",
    ]);
    return [[this.#control, this.#state.central.database], ...cells];
  }

  #cell(id: string): DatabasePool {
    const known = this.#cells.get(id);
    if (known !== undefined) return known;
    const cell = this.#state.cells[id];
    const manifest = this.#manifests[id];
    if (cell === undefined || manifest === undefined) throw new Error(`The cell ${id} does not run here`);
    const pool = new DatabasePool({
      projectId: cell.project,
      allow: databasesOf(manifest),
      emulatorHost: cell.relay,
    });
    this.#cells.set(id, pool);
    return pool;
  }
}

/** Who makes changes from here. */
function origin(): { who: string; from: string } {
  return { who: userInfo().username, from: machineName() };
}
