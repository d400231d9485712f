import { hash } from "node:crypto";
import { defaultDatabase } from "@proveniq/contracts";
import { AccessReader } from "@proveniq/db/access";
import { ClaimReader } from "@proveniq/db/claims";
import { MarketReader } from "@proveniq/db/market/reader";
import { PauseReader } from "@proveniq/db/pauses";
import { DatabasePool } from "@proveniq/db/pool";
import { openTenant } from "@proveniq/db/tenant";
import {
  type Authenticator,
  cachedVerifier,
  keyAuthenticator,
  keysAndPeople,
  peopleAuthenticator,
  tokenVerifier,
} from "@proveniq/tenant-context/credentials";
import { RequestQuota } from "@proveniq/tenant-context/quota";
import type { CellConfig } from "./config.ts";
import type { AppDeps } from "./deps.ts";
import type { Importer } from "./imports/importer.ts";
import type { Logger } from "./log.ts";
import { marketDependency } from "./market-dependency.ts";
import { Portfolios } from "./portfolio/portfolios.ts";
import { Shares } from "./shares.ts";

/** A cell's dependencies, made from its configuration, and the way to let go of them. */
export interface Cell {
  deps: AppDeps;
  /** Load the database's client and connect, which otherwise the first request does. */
  connect(): Promise<void>;
  close(): Promise<void>;
}

/** How long connecting ahead of the first request may take, in milliseconds. */
const connectMs = 10_000;

/**
 * Wire a cell; with `makeImporter` the service that works on imports. Opens no connection: the databases are opened by the first
 * request that needs them.
 */
export function composeCell(
  config: CellConfig,
  logger: Logger,
  makeImporter?: (pauses: PauseReader, share: () => number) => Importer,
): Cell {
  const { manifest } = config;
  const pool = new DatabasePool({
    projectId: manifest.project,
    allow: manifest.databases.map((d) => d.id),
    emulatorHost: config.emulatorHost,
  });
  // A pool of its own, whose clients refuse to write: the API only reads market values.
  const marketPool = new DatabasePool({
    projectId: manifest.project,
    allow: [manifest.marketDatabase.id],
    emulatorHost: config.emulatorHost,
    readOnly: true,
  });
  const market = new MarketReader({ open: () => marketPool.open(manifest.marketDatabase.id) });
  const portfolios = new Portfolios({ market, logger });
  const home = defaultDatabase(manifest);
  const claims = new ClaimReader({ pool, defaultDatabase: home });
  const shares = new Shares({ open: () => pool.open(home), logger });
  const importer = makeImporter?.(
    new PauseReader({ open: () => pool.open(home), what: "imports" }),
    shares.strict("imports"),
  );
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
      authenticate: authenticatorOf(config),
      claims,
      access: new AccessReader({ pool }),
      openTenant: (binding) => openTenant(pool, binding),
    },
    quota: new RequestQuota({
      ...manifest.quota,
      share: shares.atLeast(`requests-${config.service}`, config.instances),
    }),
    market,
    portfolios,
    ...(importer === undefined ? {} : { importer }),
    ...(config.proof === undefined ? {} : { proof: config.proof }),
    dependencies: [
      ...manifest.databases.map(({ id }) => ({
        name: `firestore/${id}`,
        check: async (timeoutMs: number) => {
          await pool.ping(id, timeoutMs);
          return undefined;
        },
      })),
      marketDependency(market, manifest.maxReplicaLagSeconds),
    ],
    logger,
    now: Date.now,
  };
  return {
    deps,
    connect: () => pool.ping(home, connectMs),
    close: async () => {
      market.close();
      await portfolios.close();
      await shares.close();
      await Promise.all([pool.close(), marketPool.close()]);
    },
  };
}

/** Partners by their keys, people by their tokens; in development both are of another kind than in production. */
function authenticatorOf({ environment, issuers, defaultTenant }: CellConfig): Authenticator {
  const sha256 = (text: string) => hash("sha256", text);
  const keys = keyAuthenticator({ environment: environment === "production" ? "live" : "dev", sha256 });
  const verify = cachedVerifier(tokenVerifier({ issuers }), { sha256 });
  return keysAndPeople(keys, peopleAuthenticator({ verify, issuers, defaultTenant }));
}
