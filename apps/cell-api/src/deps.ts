import type { HttpBindings } from "@hono/node-server";
import type { CellManifest } from "@proveniq/contracts";
import type { TenantDb } from "@proveniq/db/tenant";
import type { TenantPorts } from "@proveniq/tenant-context";
import type { TenantVariables } from "@proveniq/tenant-context/hono";
import type { RequestQuota } from "@proveniq/tenant-context/quota";
import type { FleetProof } from "./access/fleet-only.ts";
import type { Importer } from "./imports/importer.ts";
import type { Logger } from "./log.ts";
import type { Portfolios } from "./portfolio/portfolios.ts";
import type { Tracing } from "./telemetry/tracing.ts";
import type { MarketValues } from "./valuation/valued.ts";

/** Which cell this is and what runs in it. */
export interface CellInfo {
  id: string;
  region: CellManifest["region"];
  residency: CellManifest["residency"];
  artefactDigest: string;
  commit: string;
  /** Milliseconds since 1970. */
  startedAt: number;
}

/** Something the cell needs. */
export interface Dependency {
  name: string;
  /** Without it the cell serves tenants all the same, only less well. */
  optional?: boolean;
  /**
   * Resolves when it answers, with what is wrong with it if it is of little use; rejects when it does not answer
   * within `timeoutMs`.
   */
  check(timeoutMs: number): Promise<undefined | { degraded: string }>;
}

/** All that the app needs from its surroundings. */
export interface AppDeps {
  cell: CellInfo;
  tenants: TenantPorts<TenantDb>;
  quota: RequestQuota;
  market: MarketValues;
  portfolios: Portfolios;
  /** Works on imports. A process that has one serves imports and nothing else of the tenants' API. */
  importer?: Importer;
  dependencies: readonly Dependency[];
  /** Without it everybody may ask by the cell's own hosts. */
  proof?: FleetProof;
  logger: Logger;
  /** Without it nothing is recorded. */
  tracing?: Tracing;
  /** Milliseconds since 1970. */
  now: () => number;
}

/** What Node's server hands over in `c.env`, and what middleware leaves for handlers in `c.var`. */
export interface AppEnv {
  Bindings: Partial<HttpBindings> | undefined;
  Variables: TenantVariables<TenantDb> & {
    requestId: string;
    /** 32 hexadecimal digits, as in `traceparent`. */
    traceId: string;
    /** Headers that tell the caller where they stand with their quota. */
    quota: Readonly<Record<string, string>>;
    /** Whether the fleet itself asks: only it is told what clients need not know. */
    fleet: boolean;
    /** Why it was refused, where the answer does not say so. */
    reason?: string;
    /** Template of the route that answered, for the log. */
    route: string;
  };
}
