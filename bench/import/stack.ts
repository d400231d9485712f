import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type CellManifest, cellManifest, directorySnapshot, scope } from "@proveniq/contracts";
import { establishTenant } from "@proveniq/db/claims";
import { DatabasePool } from "@proveniq/db/pool";
import { type BillingProxy, type ProductionOptions, startBillingProxy } from "@proveniq/local-cloud/billing";
import { type Emulator, startEmulator } from "@proveniq/local-cloud/emulator";
import { patiently } from "@proveniq/local-cloud/patience";
import type { GuardedChild } from "@proveniq/local-cloud/process";
import { makeApiKey } from "@proveniq/tenant-context/credentials";
import { freePort, startNode } from "../lib/process.ts";

const run = promisify(execFile);
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Build what is deployed: once, before anything is measured. */
export async function build(): Promise<void> {
  await run(process.execPath, [join(root, "apps/cell-api/build.ts")]);
  await run(process.execPath, [join(root, "apps/router/build.ts")]);
}

export interface CellOptions {
  id: string;
  /** Which of its services run. */
  services: readonly ("api" | "bulk")[];
  /** Its tenants, each with a key. */
  tenants: readonly string[];
  heapMb: number;
  /** `manifest` keeps the pace of the manifest, as changed by `writesPerSecond`. */
  pace: "manifest" | "off";
  writesPerSecond?: number;
  /** Processor core that all of it is kept on. */
  core?: number;
  /** Count what Google would bill for what its services do: for counting, not for rates. */
  billed?: boolean;
  /** And behave as Firestore does in production, where it is counted. */
  production?: ProductionOptions;
}

/** A cell's services on an emulator of its own, fresh. */
export interface Cell {
  id: string;
  urls: Record<"api" | "bulk", string>;
  keys: Record<string, string>;
  emulator: Emulator;
  pool: DatabasePool;
  databaseId: string;
  /** Process ids by service. */
  pids: Record<string, number>;
  billing: BillingProxy | undefined;
  close(): Promise<void>;
}

/** What Node takes for its heap where these are deployed, in MiB: half of their memory (512 MiB and 1 GiB). */
const heapLimits = { api: 256, bulk: 512 } as const;

export async function startCell(options: CellOptions): Promise<Cell> {
  const { id, services, tenants, heapMb, pace, writesPerSecond, core } = options;
  const base = await manifestOf(id);
  const manifest: CellManifest = {
    ...base,
    capacity: { ...base.capacity, writesPerSecond: writesPerSecond ?? base.capacity.writesPerSecond },
    quota: { tenantRequestsPerSecond: 100_000, personRequestsPerSecond: 1_000 },
  };
  const databaseId = manifest.databases[0]?.id ?? "";
  const emulator = await startEmulator({ port: await freePort(), heapMb });
  if (core !== undefined) await keepOn(core, emulator.pid);
  const pool = new DatabasePool({
    projectId: manifest.project,
    allow: [databaseId],
    emulatorHost: emulator.host,
  });
  const keys: Record<string, string> = {};
  for (const each of tenants) keys[each] = await placeTenant(pool, databaseId, each);
  const { billed, production } = options;
  const behave = production === undefined ? {} : { production };
  const billing = billed === true ? await startBillingProxy(emulator.host, behave) : undefined;
  const children: GuardedChild[] = [];
  const urls = { api: "http://127.0.0.1:1", bulk: "http://127.0.0.1:1" };
  const pids: Record<string, number> = {};
  for (const service of services) {
    const port = await freePort();
    urls[service] = `http://127.0.0.1:${port}`;
    const child = startNode(
      join(root, "apps/cell-api/dist/artefact/server.js"),
      {
        CELL_ID: id,
        CELL_MANIFEST: JSON.stringify(manifest),
        PROVENIQ_ENV: "development",
        ARTEFACT_DIGEST: "0".repeat(64),
        GIT_COMMIT: "bench",
        PORT: String(port),
        HOST: "127.0.0.1",
        LOG_LEVEL: "error",
        FIRESTORE_EMULATOR_HOST: billing?.host ?? emulator.host,
        METADATA_SERVER_DETECTION: "none",
        SERVICE: service,
        INSTANCES: "1",
        IMPORT_PACE: pace,
        NODE_OPTIONS: `--max-old-space-size=${heapLimits[service]}`,
      },
      { core },
    );
    children.push(child);
    pids[service] = child.pid;
  }
  await Promise.all(services.map((service) => untilHealthy(urls[service])));
  return {
    id,
    urls,
    keys,
    emulator,
    pool,
    databaseId,
    pids,
    billing,
    close: async () => {
      await Promise.all(children.map(kill));
      await billing?.close();
      await pool.close();
      await emulator.stop();
    },
  };
}

/** A router in front of some cells; every tenant of theirs is reached by `localhost`. */
export async function startRouter(folder: string, cells: readonly Cell[], core?: number) {
  const [first] = cells;
  if (first === undefined) throw new Error("a router needs a cell");
  const port = await freePort();
  const directory = join(folder, `directory-${port}.json`);
  const snapshot = {
    version: 1,
    publishedAt: new Date().toISOString(),
    topology: {
      hosts: { localhost: { kind: "global" } },
      defaults: { global: { cell: first.id, tenant: "consumers" } },
      cells: Object.fromEntries(cells.map((cell) => [cell.id, { residency: "global", ...cell.urls }])),
    },
    tenants: Object.fromEntries(
      cells.flatMap((cell) => Object.keys(cell.keys).map((t) => [t, [cell.id, 1]])),
    ),
    tenantHosts: {},
  };
  await writeFile(directory, JSON.stringify(directorySnapshot.parse(snapshot)));
  const child = startNode(
    join(root, "apps/router/dist/server.js"),
    {
      PORT: String(port),
      HOST: "127.0.0.1",
      DIRECTORY_FILE: directory,
      PROVENIQ_ENV: "development",
      FLEET_ZONE: "proveniq.io",
      LOG_LEVEL: "error",
    },
    { core },
  );
  const url = `http://localhost:${port}`;
  await untilHealthy(url);
  return { url, close: () => kill(child) };
}

async function manifestOf(id: string): Promise<CellManifest> {
  return cellManifest.parse(JSON.parse(await readFile(join(root, `infra/cells/${id}/cell.json`), "utf8")));
}

/** Give a tenant its claim and a key with every scope. */
async function placeTenant(pool: DatabasePool, databaseId: string, tenantId: string): Promise<string> {
  await patiently("make a tenant", () =>
    establishTenant(pool, { tenantId, databaseId, defaultDatabase: databaseId, epoch: 1, copies: 4 }),
  );
  const { key, keyId, secretHash } = await makeApiKey("dev", tenantId);
  const more = { label: "Bench", createdAt: new Date().toISOString(), expiresAt: null, revokedAt: null };
  const record = { keyId, tenantId, environment: "dev", secretHash, scopes: scope.options, ...more };
  await (await pool.open(databaseId)).doc(`tenants/${tenantId}/apiKeys/${keyId}`).set(record);
  return key;
}

/** Keep a process, with all its threads, on some cores: `0`, `0,1`. What it starts from then on stays there too. */
export async function keepOn(core: number | string, pid: number): Promise<void> {
  await run("taskset", ["-acp", String(core), String(pid)]);
}

async function kill(child: GuardedChild): Promise<void> {
  child.kill("SIGKILL");
  await child.exited;
}

async function untilHealthy(url: string): Promise<void> {
  for (let n = 0; n < 600; n++) {
    if ((await fetch(`${url}/health`).catch(() => undefined))?.ok === true) return;
    await sleep(50);
  }
  throw new Error(`${url} is not healthy within 30 s`);
}

/** The most memory that a process ever held, in MB (Linux only). */
export async function peakRssMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+([0-9]+) kB/.exec(status)?.[1]) / 1024;
}
