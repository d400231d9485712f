import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type CellManifest, manifestForCell } from "@proveniq/contracts";
import { type Connections, type Fleet, loadFleet, openConnections } from "@proveniq/control-plane";
import { asRecords, createWarehouse, openWarehouse, queryWarehouse } from "@proveniq/control-plane/analytics";
import { MarketPublishing } from "@proveniq/db/market/publishing";
import { DatabasePool } from "@proveniq/db/pool";
import {
  developmentIssuer,
  type IssuerKey,
  makeIssuerKey,
  mintToken,
  serveIssuer,
} from "@proveniq/local-cloud/issuer";
import { freePort } from "../setup/ports.ts";
import type { Service } from "./cell.ts";
import type { Place } from "./stored.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** The one cell of these tests. */
export const cell = "release";
const project = "release-cell";
const central = { project: "release-central", controlDatabase: "control", marketDatabase: "market" };
const [books, carriers, replica] = ["books", "carriers", "market"];
/** Tenants' databases of the cell. */
export const databases = { books, carriers } as const;
/** All databases that an artefact reads or writes. */
export const places: readonly Place[] = [
  ...[books, carriers, replica].map((database) => ({ project, database })),
  { project: central.project, database: central.marketDatabase },
];

/** The tenant of the cell's consumers. */
export const consumers = "consumers";

/** What surrounds a cell: its databases, the centre, an issuer of tokens, a warehouse. */
export interface Scene {
  fleet: Fleet;
  connections: Connections;
  manifest: CellManifest;
  /** The cell's databases, market values included. */
  pool: DatabasePool;
  centre: MarketPublishing;
  warehouse: Warehouse;
  /** `host:port` of the emulator. */
  emulator: string;
  environment(service: Service): Record<string, string>;
  token(person: { subject: string; tenant?: string; staff?: boolean }): Promise<string>;
  close(): Promise<void>;
}

/** A warehouse that can be down and come back with what it held. */
export interface Warehouse {
  start(): Promise<void>;
  stop(): Promise<void>;
  query(sql: string): Promise<Record<string, unknown>[]>;
}

/** Set the scene in an emulator. Two at a time need two emulators: the projects have the same names. */
export async function setScene(emulator: string): Promise<Scene> {
  process.env["METADATA_SERVER_DETECTION"] = "none";
  const folder = await mkdtemp(join(tmpdir(), "compat-"));
  const house = await loadFleet(join(root, "infra"));
  const manifest = manifestOf(house.manifests);
  const fleet: Fleet = {
    config: { ...house.config, central: { ...house.config.central, ...central } },
    manifests: { [cell]: manifest },
  };
  const connections = openConnections(fleet, () => emulator);
  const emulatorHost = emulator;
  const pool = new DatabasePool({ projectId: project, allow: [books, carriers, replica], emulatorHost });
  const centrePool = new DatabasePool({
    projectId: central.project,
    allow: [central.marketDatabase],
    emulatorHost,
  });
  const key: IssuerKey = await makeIssuerKey();
  const issuer = await serveIssuer(key, 0);
  const trust = developmentIssuer(issuer.origin, project);
  const ports = { rest: await freePort(), grpc: await freePort() };
  const warehouse = localWarehouse(join(folder, "warehouse.duckdb"), ports, fleet);

  return {
    fleet,
    connections,
    manifest,
    pool,
    centre: new MarketPublishing(() => centrePool.open(central.marketDatabase)),
    warehouse,
    emulator,
    environment: (service) => ({
      CELL_ID: cell,
      CELL_MANIFEST: JSON.stringify(manifestForCell(manifest)),
      DEFAULT_TENANT: consumers,
      DEVELOPMENT_ISSUER: JSON.stringify(trust),
      INSTANCES: "1",
      CENTRAL_PROJECT: central.project,
      CENTRAL_MARKET_DATABASE: central.marketDatabase,
      MARKET_LEASE_MS: "400",
      SINK_LEASE_MS: "1000",
      WAREHOUSE_HOST: `127.0.0.1:${ports.grpc}`,
      ANALYTICS_KEYS: join(folder, "keys"),
      ...(service === "replicate"
        ? { REPLICA_EMULATOR_HOST: emulator, CENTRAL_EMULATOR_HOST: emulator }
        : { FIRESTORE_EMULATOR_HOST: emulator }),
      ...(service === "bulk" ? { IMPORT_PACE: "off" } : {}),
    }),
    token: ({ subject, tenant, staff = false }) =>
      mintToken(key, trust, {
        sub: subject,
        ...(tenant === undefined ? {} : { tenant }),
        ...(staff ? { role: "staff" } : {}),
        firebase: { sign_in_provider: "custom" },
      }),
    async close() {
      await Promise.all([
        warehouse.stop(),
        issuer.stop(),
        connections.close(),
        pool.close(),
        centrePool.close(),
      ]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Today's own manifest of the EU's cell, with databases of our own, and for imports that keep a pace so slow a one that a page comes every four seconds. */
function manifestOf({ eu }: Fleet["manifests"]): CellManifest {
  if (eu === undefined) throw new Error("there is no cell eu whose manifest could be the model");
  const { region: location } = eu;
  return {
    ...eu,
    project,
    databases: [books, carriers].map((id) => ({ id, location })),
    marketDatabase: { id: replica, location },
    capacity: { ...eu.capacity, writesPerSecond: 10 },
    quota: { tenantRequestsPerSecond: 5_000, personRequestsPerSecond: 1_000 },
  };
}

function localWarehouse(file: string, ports: { rest: number; grpc: number }, { config }: Fleet): Warehouse {
  const endpoint = `http://127.0.0.1:${ports.rest}`;
  const bigquery = openWarehouse({ project: central.project, endpoint });
  let child: ChildProcess | undefined;
  let made = false;
  return {
    async start() {
      const entry = join(root, "packages/local-cloud/src/warehouse/main.ts");
      child = spawn(process.execPath, [entry, file, String(ports.rest), String(ports.grpc)], {
        stdio: ["ignore", "ignore", "inherit"],
        env: { PATH: process.env["PATH"] },
      });
      await until("the warehouse", async () => (await fetch(`${endpoint}/health`)).ok);
      if (!made) await createWarehouse(bigquery, central.project, config.warehouse);
      made = true;
    },
    async stop() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    },
    query: async (sql) => asRecords(await queryWarehouse(bigquery, sql)),
  };
}

/** Ask until there is an answer other than false or undefined. What fails meanwhile is asked again. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | false | undefined>,
  { withinMs = 30_000, otherwise = () => "" }: { withinMs?: number; otherwise?: () => string } = {},
): Promise<T> {
  let last = "";
  for (const end = Date.now() + withinMs; Date.now() < end; await sleep(20)) {
    try {
      const found = await ask();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = String(error);
    }
  }
  throw new Error(`${what}: not within ${withinMs / 1000} s. ${last} ${otherwise()}`);
}
