import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type CellManifest, cellManifest, directorySnapshot, scope } from "@proveniq/contracts";
import { establishTenant } from "@proveniq/db/claims";
import { DatabasePool } from "@proveniq/db/pool";
import { type Emulator, startEmulator } from "@proveniq/local-cloud/emulator";
import { makeApiKey } from "@proveniq/tenant-context/credentials";
import { cpuMs, freePort } from "../lib/process.ts";

const run = promisify(execFile);
export const root = fileURLToPath(new URL("../..", import.meta.url));
export const database = "enterprise-a";
export const tenant = "carrier-a";

/** A router, a cell's services and an emulator, fresh. */
export interface Stack {
  router: string;
  key: string;
  emulator: Emulator;
  pool: DatabasePool;
  /** Processor time and memory of the bulk process. */
  bulk: { cpuMs(): Promise<number>; peakRssMb(): Promise<number> };
  close(): Promise<void>;
}

export interface StackOptions {
  folder: string;
  heapMb: number;
  /** `manifest` keeps the pace of the manifest, as changed by `writesPerSecond`. */
  pace: "manifest" | "off";
  writesPerSecond?: number;
  /** Also the interactive service, for those who measure it. */
  api?: boolean;
}

/** Build what is deployed: once, before anything is measured. */
export async function build(): Promise<void> {
  await run(process.execPath, [join(root, "apps/cell-api/build.ts")]);
  await run(process.execPath, [join(root, "apps/router/build.ts")]);
}

export async function benchManifest(): Promise<CellManifest> {
  const text = await readFile(join(root, "infra/cells/enterprise-a/cell.json"), "utf8");
  return cellManifest.parse(JSON.parse(text));
}

export async function startStack(options: StackOptions): Promise<Stack> {
  const { folder, heapMb, pace, writesPerSecond, api } = options;
  const base = await benchManifest();
  const manifest = {
    ...base,
    capacity: { ...base.capacity, writesPerSecond: writesPerSecond ?? base.capacity.writesPerSecond },
    quota: { ...base.quota, tenantRequestsPerSecond: 100_000 },
  };
  const [emulatorPort, bulkPort, apiPort, routerPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const emulator = await startEmulator({ port: emulatorPort, heapMb });
  const pool = new DatabasePool({
    projectId: manifest.project,
    allow: [database],
    emulatorHost: emulator.host,
  });
  const key = await placeTenant(pool, tenant);
  const [bulkUrl, apiUrl] = [`http://127.0.0.1:${bulkPort}`, `http://127.0.0.1:${apiPort}`];
  const directory = join(folder, `directory-${routerPort}.json`);
  const snapshot = {
    version: 1,
    publishedAt: new Date().toISOString(),
    topology: {
      hosts: { localhost: { kind: "global" } },
      defaults: { global: { cell: "enterprise-a", tenant: "consumers" } },
      cells: { "enterprise-a": { residency: "global", api: apiUrl, bulk: bulkUrl } },
    },
    tenants: { [tenant]: ["enterprise-a", 1], "carrier-b": ["enterprise-a", 1] },
    tenantHosts: {},
  };
  await writeFile(directory, JSON.stringify(directorySnapshot.parse(snapshot)));
  const cell = (service: string, port: number) => ({
    CELL_ID: "enterprise-a",
    CELL_MANIFEST: JSON.stringify(manifest),
    PROVENIQ_ENV: "development",
    ARTEFACT_DIGEST: "0".repeat(64),
    GIT_COMMIT: "bench",
    PORT: String(port),
    HOST: "127.0.0.1",
    LOG_LEVEL: "error",
    FIRESTORE_EMULATOR_HOST: emulator.host,
    METADATA_SERVER_DETECTION: "none",
    SERVICE: service,
    INSTANCES: "1",
    IMPORT_PACE: pace,
  });
  const artefact = join(root, "apps/cell-api/dist/artefact/server.js");
  const bulk = startProcess(artefact, cell("bulk", bulkPort));
  const children = [bulk, ...(api === true ? [startProcess(artefact, cell("api", apiPort))] : [])];
  const router = startProcess(join(root, "apps/router/dist/server.js"), {
    PORT: String(routerPort),
    HOST: "127.0.0.1",
    DIRECTORY_FILE: directory,
    PROVENIQ_ENV: "development",
    LOG_LEVEL: "error",
  });
  children.push(router);
  await Promise.all(
    [bulkUrl, `http://127.0.0.1:${routerPort}`, ...(api === true ? [apiUrl] : [])].map(untilHealthy),
  );
  const pid = bulk.pid ?? 0;
  return {
    router: `http://127.0.0.1:${routerPort}`.replace("127.0.0.1", "localhost"),
    key,
    emulator,
    pool,
    bulk: { cpuMs: () => cpuMs(pid), peakRssMb: () => peakRss(pid) },
    close: async () => {
      await Promise.all(
        children.map(async (child) => {
          const gone = once(child, "exit");
          child.kill("SIGKILL");
          await gone;
        }),
      );
      await pool.close();
      await emulator.stop();
    },
  };
}

/** Give a tenant its claim and a key with every scope. */
export async function placeTenant(pool: DatabasePool, tenantId: string): Promise<string> {
  await establishTenant(pool, {
    tenantId,
    databaseId: database,
    defaultDatabase: database,
    epoch: 1,
    copies: 4,
  });
  const { key, keyId, secretHash } = await makeApiKey("dev", tenantId);
  const more = { label: "Bench", createdAt: new Date().toISOString(), expiresAt: null, revokedAt: null };
  const record = { keyId, tenantId, environment: "dev", secretHash, scopes: scope.options, ...more };
  await (await pool.open(database)).doc(`tenants/${tenantId}/apiKeys/${keyId}`).set(record);
  return key;
}

export function startProcess(file: string, env: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [file], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

async function untilHealthy(url: string): Promise<void> {
  for (let n = 0; n < 400; n++) {
    if ((await fetch(`${url}/health`).catch(() => undefined))?.ok === true) return;
    await sleep(50);
  }
  throw new Error(`${url} is not healthy within 20 s`);
}

/** The most memory that a process ever held (Linux only). */
async function peakRss(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+([0-9]+) kB/.exec(status)?.[1]) / 1024;
}
