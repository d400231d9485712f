import { randomBytes } from "node:crypto";
import { establishTenant } from "@proveniq/db/claims";
import type { PauseReader } from "@proveniq/db/pauses";
import { DatabasePool } from "@proveniq/db/pool";
import { createApp } from "../app.ts";
import { composeCell } from "../compose.ts";
import type { CellConfig } from "../config.ts";
import { cellEdge } from "../edge-limits.ts";
import { createImporter } from "../imports/compose.ts";
import { silentLogger } from "../log.ts";
import { type Call, clientOf } from "./client.ts";
import { testIssuer, testKeyOf } from "./identity.ts";
import { testManifest } from "./manifest.ts";

export interface EmulatedCell {
  call: Call;
  config: CellConfig;
  /** The cell's databases, for what a test must see or do behind the API's back. */
  pool: DatabasePool;
  /** Its databases and tenants; tenants lie in them by turns. */
  databases: readonly string[];
  tenants: readonly string[];
  close(): Promise<void>;
}

/**
 * A whole cell in process on a Firestore emulator, in a project of its own, with these tenants active; with the manifest of
 * another, one more process of that cell.
 */
export async function emulatedCell(
  emulatorHost: string,
  tenants: readonly string[],
  more: Partial<CellConfig> = {},
): Promise<EmulatedCell> {
  const manifest = more.manifest ?? {
    ...testManifest,
    project: `cell-${randomBytes(6).toString("hex")}`,
  };
  const config: CellConfig = {
    cellId: "eu",
    manifest,
    defaultTenant: tenants[0],
    environment: "development",
    artefactDigest: "0".repeat(64),
    commit: "test",
    port: 0,
    host: "127.0.0.1",
    logLevel: "silent",
    traces: undefined,
    central: undefined,
    marketLeaseMs: 15_000,
    analytics: undefined,
    sinkLeaseMs: 30_000,
    emulatorHost,
    issuers: [testIssuer],
    service: "api",
    edge: cellEdge(),
    instances: 1,
    importPace: "off",
    proof: undefined,
    ...more,
  };
  const allow = manifest.databases.map((d) => d.id);
  const [home] = allow;
  if (home === undefined) throw new Error("the manifest has a database");
  const pool = new DatabasePool({ projectId: manifest.project, allow, emulatorHost });
  for (const [n, tenantId] of tenants.entries()) {
    const databaseId = allow[n % allow.length] ?? home;
    await establishTenant(pool, { tenantId, databaseId, defaultDatabase: home, epoch: 1, copies: 1 });
    const { record } = await testKeyOf(tenantId);
    await (await pool.open(databaseId)).doc(`tenants/${tenantId}/apiKeys/${record.keyId}`).set(record);
  }
  const importing = (pauses: PauseReader, share: () => number) => createImporter(config, pauses, share);
  const cell = composeCell(config, silentLogger, config.service === "bulk" ? importing : undefined);
  return {
    call: clientOf(createApp(cell.deps), tenants[0]),
    config,
    pool,
    databases: allow,
    tenants,
    close: async () => {
      await Promise.all([cell.close(), pool.close()]);
    },
  };
}
