import { defaultDatabase } from "@proveniq/contracts";
import { AccessReader } from "@proveniq/db/access";
import { ClaimReader } from "@proveniq/db/claims";
import { DatabasePool } from "@proveniq/db/pool";
import { openTenant } from "@proveniq/db/tenant";
import { developmentAuthenticator, refuseAll } from "@proveniq/tenant-context/credentials";
import type { CellConfig } from "./config.ts";
import type { AppDeps } from "./deps.ts";
import type { Logger } from "./log.ts";

/** A cell's dependencies, made from its configuration, and the way to let go of them. */
export interface Cell {
  deps: AppDeps;
  close(): Promise<void>;
}

/** Wire a cell. Opens no connection: the databases are opened by the first request that needs them. */
export function composeCell(config: CellConfig, logger: Logger): Cell {
  const { manifest } = config;
  const pool = new DatabasePool({
    projectId: manifest.project,
    allow: manifest.databases.map((d) => d.id),
    emulatorHost: config.emulatorHost,
  });
  const claims = new ClaimReader({ pool, defaultDatabase: defaultDatabase(manifest) });
  const deps: AppDeps = {
    cell: {
      id: config.cellId,
      region: manifest.region,
      residency: manifest.residency,
      artefactDigest: config.artefactDigest,
      commit: config.commit,
      startedAt: Date.now(),
    },
    tenants: {
      defaultTenant: config.defaultTenant,
      authenticate: authenticatorOf(config, logger),
      claims,
      access: new AccessReader({ pool }),
      openTenant: (binding) => openTenant(pool, binding),
    },
    dependencies: manifest.databases.map(({ id }) => ({
      name: `firestore/${id}`,
      check: (timeoutMs) => pool.ping(id, timeoutMs),
    })),
    logger,
    now: Date.now,
  };
  return { deps, close: () => pool.close() };
}

function authenticatorOf({ developmentCredential, environment }: CellConfig, logger: Logger) {
  if (developmentCredential === undefined) {
    logger.warn({}, "no kind of credential is configured: every request for a tenant will be refused");
    return refuseAll;
  }
  return developmentAuthenticator({
    credential: developmentCredential,
    environment,
    warn: (message) => logger.warn({}, message),
  });
}
