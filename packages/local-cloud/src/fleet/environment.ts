import { type CellManifest, type FleetConfig, manifestForCell } from "@proveniq/contracts";
import { developmentIssuer } from "../issuer/index.ts";

export interface CellEnvironmentInput {
  id: string;
  manifest: CellManifest;
  defaultTenant: string | undefined;
  port: number;
  emulatorHost: string;
  /** Origin of the development issuer. */
  issuer: string;
  artefact: string;
  commit: string;
  logLevel: string;
}

/**
 * What a process of the fleet gets from the outside: enough to run, and nothing that could lead it to a real cloud
 * (no credentials, projects or emulator hosts of the shell that started us).
 */
export function baseEnvironment(inherited: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TZ",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
  ];
  return {
    // Who looks at traces on one machine wants to see them all.
    OTEL_TRACES_SAMPLER_ARG: inherited["OTEL_TRACES_SAMPLER_ARG"] ?? "1",
    ...Object.fromEntries(
      kept.flatMap((name) => (inherited[name] === undefined ? [] : [[name, inherited[name]]])),
    ),
    PROVENIQ_ENV: "development",
    HOST: "127.0.0.1",
  };
}

/**
 * What a cell's bulk service differs in from the cell's other one. The emulator knows no hot spots, so imports need
 * no pace here unless that is what is looked at.
 */
export function bulkEnvironment(port: number, pace: "manifest" | "off"): Record<string, string> {
  return { SERVICE: "bulk", PORT: String(port), IMPORT_PACE: pace };
}

/** What a cell's replicator needs besides the cell's environment: where market values are published. */
export function replicatorEnvironment(
  central: FleetConfig["central"],
  hosts: { central: string; cell: string },
): Record<string, string> {
  return {
    SERVICE: "replicate",
    // It has two emulators, and the Firestore library would take this one for both.
    FIRESTORE_EMULATOR_HOST: "",
    REPLICA_EMULATOR_HOST: hosts.cell,
    CENTRAL_PROJECT: central.project,
    CENTRAL_MARKET_DATABASE: central.marketDatabase,
    CENTRAL_EMULATOR_HOST: hosts.central,
    // One that was killed here is soon replaced, and nobody wants to wait for it.
    MARKET_LEASE_MS: "3000",
  };
}

/** All by which one cell differs from another: the artefact is the same. */
export function cellEnvironment(input: CellEnvironmentInput): Record<string, string> {
  return {
    CELL_ID: input.id,
    CELL_MANIFEST: JSON.stringify(manifestForCell(input.manifest)),
    ...(input.defaultTenant === undefined ? {} : { DEFAULT_TENANT: input.defaultTenant }),
    ARTEFACT_DIGEST: input.artefact,
    GIT_COMMIT: input.commit,
    PORT: String(input.port),
    LOG_LEVEL: input.logLevel,
    FIRESTORE_EMULATOR_HOST: input.emulatorHost,
    METADATA_SERVER_DETECTION: "none",
    DEVELOPMENT_ISSUER: JSON.stringify(developmentIssuer(input.issuer, input.manifest.project)),
    // The manifest counts production's instances; here the one process has the whole quota.
    INSTANCES: "1",
  };
}
