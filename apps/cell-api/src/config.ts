import {
  type CellManifest,
  cellId,
  cellManifest,
  databaseId,
  faultsOf,
  type ProofSecret,
  projectId,
  proofSecrets,
  type TokenIssuer,
  type TraceExport,
  tenantId,
  tokenIssuer,
  traceExportEnvironment,
  traceExportOf,
} from "@proveniq/contracts";
import { defaultMinimumAgeDays } from "@proveniq/contracts/warehouse";
import { edgeEnvironment } from "@proveniq/http-edge";
import { z } from "zod";
import { type CellEdge, cellEdge } from "./edge-limits.ts";
import { type ImportLimitsConfig, importLimitsConfig } from "./imports/limits.ts";

const port = z
  .string()
  .regex(/^[0-9]{1,5}$/, "must be a port number")
  .transform(Number)
  .refine((n) => n <= 65_535, "must be a port number");

const emulatorHost = z.string().regex(/^[a-z0-9.-]+:[0-9]{1,5}$/, "must be host:port");

const environment = z.object({
  CELL_ID: cellId,
  CELL_MANIFEST: z.string().min(2, "must be the text of the cell's cell.json"),
  DEFAULT_TENANT: tenantId.optional(),
  PROVENIQ_ENV: z.enum(["development", "production"]),
  ARTEFACT_DIGEST: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits"),
  GIT_COMMIT: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "must be a commit id"),
  PORT: port.default(8080),
  HOST: z.string().min(1).default("0.0.0.0"),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  ...traceExportEnvironment,
  ...edgeEnvironment,
  FIRESTORE_EMULATOR_HOST: emulatorHost.optional(),
  CENTRAL_PROJECT: projectId.optional(),
  CENTRAL_MARKET_DATABASE: databaseId.optional(),
  // The Firestore library lets FIRESTORE_EMULATOR_HOST overrule everything: a process with two emulators, as the
  // replicator is, gets these two instead.
  REPLICA_EMULATOR_HOST: emulatorHost.optional(),
  CENTRAL_EMULATOR_HOST: emulatorHost.optional(),
  MARKET_LEASE_MS: z
    .string()
    .regex(/^[1-9][0-9]{2,5}$/, "must be milliseconds, from 100")
    .transform(Number)
    .default(15_000),
  WAREHOUSE_HOST: z
    .string()
    .regex(/^[a-z0-9.-]+:[0-9]{1,5}$/, "must be host:port")
    .optional(),
  ANALYTICS_KEYS: z.string().optional(),
  ANALYTICS_MINIMUM_AGE_DAYS: z
    .string()
    .regex(/^[0-9]{1,3}$/, "must be days, from 0 to 999")
    .transform(Number)
    .default(defaultMinimumAgeDays),
  SINK_LEASE_MS: z
    .string()
    .regex(/^[1-9][0-9]{2,5}$/, "must be milliseconds, from 100")
    .transform(Number)
    .default(30_000),
  FIREBASE_AUTH_EMULATOR_HOST: z.string().optional(),
  DEVELOPMENT_ISSUER: z.string().optional(),
  PROOF_SECRETS: proofSecrets.optional(),
  SERVICE: z.enum(["api", "bulk", "replicate", "sink"]).default("api"),
  IMPORT_PACE: z.enum(["manifest", "off"]).default("manifest"),
  IMPORT_LIMITS: z.string().optional(),
  INSTANCES: z
    .string()
    .regex(/^[1-9][0-9]{0,3}$/, "must be a whole number from 1")
    .transform(Number)
    .optional(),
});

/** Variables that weaken a cell; set in production they are a mistake that must not go unnoticed. */
const developmentOnly = [
  "FIRESTORE_EMULATOR_HOST",
  "REPLICA_EMULATOR_HOST",
  "CENTRAL_EMULATOR_HOST",
  "WAREHOUSE_HOST",
  "ANALYTICS_KEYS",
  "FIREBASE_AUTH_EMULATOR_HOST",
  "DEVELOPMENT_ISSUER",
  "INSTANCES",
  "IMPORT_PACE",
  "IMPORT_LIMITS",
] as const;

/** What a cell's process knows of itself. */
export interface CellConfig {
  cellId: string;
  manifest: CellManifest;
  defaultTenant: string | undefined;
  environment: "development" | "production";
  artefactDigest: string;
  commit: string;
  port: number;
  host: string;
  logLevel: string;
  /** Where spans are sent; undefined: none is made. */
  traces: TraceExport | undefined;
  emulatorHost: string | undefined;
  /** Whose tokens people may bring. */
  issuers: readonly TokenIssuer[];
  /** By which the fleet proves itself to the cell's own hosts, which are in `zone`; undefined: everybody may ask there. */
  proof: { secrets: readonly ProofSecret[]; zone: string } | undefined;
  /** What this process does: `bulk` serves imports, `replicate` and `sink` no requests at all, `api` all the rest. */
  service: "api" | "bulk" | "replicate" | "sink";
  /** What clients may take up, by the service that serves them: a function learns only later which one it is. */
  edge: CellEdge;
  /** Where market values are published; the replicator needs it. */
  central: { project: string; marketDatabase: string; emulatorHost: string | undefined } | undefined;
  /** How long after its last sign of life another replicator takes over, in milliseconds. */
  marketLeaseMs: number;
  /** Where events go; the sink needs it. Host and folder of keys are one machine's, instead of the cloud's. */
  analytics:
    | {
        project: string;
        localHost: string | undefined;
        keysFolder: string | undefined;
        /** People count from this many days after their first change. */
        minimumAgeDays: number;
      }
    | undefined;
  /** How long after its last sign of life another sink takes over, in milliseconds. */
  sinkLeaseMs: number;
  /** The most processes of this service that share the cell's quotas at once. */
  instances: number;
  /** `off`: imports write as fast as they can. Databases in the cloud need the pace. */
  importPace: "manifest" | "off";
  /** How large the pieces of an import's work are; undefined: as they should be. */
  importLimits?: ImportLimitsConfig | undefined;
}

/**
 * The process's environment, or one Error that names every fault in it (never a value). `descriptors`: how many files and sockets
 * the process may have open.
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
  descriptors?: number,
): CellConfig {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = environment.safeParse(given);
  const faults = parsed.success ? [] : faultsOf(parsed.error).map((f) => `${f.path.slice(1)}: ${f.message}`);
  const manifest = readJson("CELL_MANIFEST", cellManifest, given, faults);
  const importLimits = readJson("IMPORT_LIMITS", importLimitsConfig, given, faults);
  const developmentIssuer = readJson("DEVELOPMENT_ISSUER", tokenIssuer, given, faults);
  if (given["PROVENIQ_ENV"] !== "development") {
    for (const name of developmentOnly) {
      if (given[name] !== undefined) faults.push(`${name}: is refused outside development`);
    }
    for (const [name, value] of Object.entries(given)) {
      if (value?.includes("pvq_dev_")) faults.push(`${name}: holds a development key`);
    }
  }
  if (given["PROVENIQ_ENV"] === "development") {
    // Without a host the client finds the cloud, by whatever credentials lie in the home of the person who tries it.
    const local = given["FIRESTORE_EMULATOR_HOST"] ?? given["REPLICA_EMULATOR_HOST"];
    if (local === undefined) faults.push("FIRESTORE_EMULATOR_HOST: is needed in development");
    if (given["SERVICE"] === "replicate" && given["CENTRAL_EMULATOR_HOST"] === undefined) {
      faults.push("CENTRAL_EMULATOR_HOST: is needed in development");
    }
  }
  if (given["SERVICE"] === "replicate") {
    for (const name of ["CENTRAL_PROJECT", "CENTRAL_MARKET_DATABASE"]) {
      if (given[name] === undefined) faults.push(`${name}: is needed to replicate`);
    }
  }
  if (given["SERVICE"] === "sink") {
    if (given["CENTRAL_PROJECT"] === undefined) faults.push("CENTRAL_PROJECT: is needed to send events");
    if ((given["WAREHOUSE_HOST"] === undefined) !== (given["ANALYTICS_KEYS"] === undefined)) {
      faults.push("ANALYTICS_KEYS: goes with WAREHOUSE_HOST, both or none");
    }
  }
  if (!parsed.success || manifest === undefined || faults.length > 0) {
    throw new Error(
      `The cell cannot start, its environment is not valid:\n${faults.map((f) => `  ${f}`).join("\n")}`,
    );
  }
  const e = parsed.data;
  const secrets = (e.PROOF_SECRETS ?? []).filter(({ residency }) => residency === manifest.residency);
  return {
    cellId: e.CELL_ID,
    manifest,
    defaultTenant: e.DEFAULT_TENANT,
    environment: e.PROVENIQ_ENV,
    artefactDigest: e.ARTEFACT_DIGEST,
    commit: e.GIT_COMMIT,
    port: e.PORT,
    host: e.HOST,
    logLevel: e.LOG_LEVEL,
    traces: traceExportOf(e),
    emulatorHost: e.FIRESTORE_EMULATOR_HOST ?? e.REPLICA_EMULATOR_HOST,
    issuers: developmentIssuer === undefined ? manifest.issuers : [developmentIssuer],
    // In development a cell may stand alone, with nobody in front of it. In production one without secrets believes nobody.
    proof:
      secrets.length === 0 && e.PROVENIQ_ENV === "development"
        ? undefined
        : { secrets, zone: zoneOf(manifest) },
    service: e.SERVICE,
    edge: cellEdge(e, descriptors),
    central:
      e.CENTRAL_PROJECT === undefined || e.CENTRAL_MARKET_DATABASE === undefined
        ? undefined
        : {
            project: e.CENTRAL_PROJECT,
            marketDatabase: e.CENTRAL_MARKET_DATABASE,
            emulatorHost: e.CENTRAL_EMULATOR_HOST,
          },
    marketLeaseMs: e.MARKET_LEASE_MS,
    analytics:
      e.CENTRAL_PROJECT === undefined
        ? undefined
        : {
            project: e.CENTRAL_PROJECT,
            localHost: e.WAREHOUSE_HOST,
            keysFolder: e.ANALYTICS_KEYS,
            minimumAgeDays: e.ANALYTICS_MINIMUM_AGE_DAYS,
          },
    sinkLeaseMs: e.SINK_LEASE_MS,
    instances: e.INSTANCES ?? manifest.capacity[e.SERVICE === "bulk" ? "bulkInstances" : "apiInstances"],
    importPace: e.IMPORT_PACE,
    importLimits,
  };
}

/** The zone of all cells' own hosts: each host is one label in it. */
function zoneOf({ origins }: CellManifest): string {
  return new URL(origins.api).hostname.replace(/^[^.]+\./, "");
}

/** The same for functions: the platform listens for them, and its PORT need not even be a number (its emulator's is a path). */
export function loadFunctionsConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
  descriptors?: number,
): CellConfig {
  return loadConfig({ ...env, PORT: undefined }, descriptors);
}

/** Which function this process is, as the platform says it or is told by hand; undefined where nobody says so. */
export function functionOf(
  env: Readonly<Record<string, string | undefined>> = process.env,
  args: readonly string[] = process.argv,
): string | undefined {
  const told = args.flatMap((arg, at) =>
    arg === "--target" ? (args[at + 1] ?? []) : (/^--target=(.+)$/.exec(arg)?.[1] ?? []),
  );
  return told[0] ?? env["FUNCTION_TARGET"];
}

/** What the replicator needs of it. Throws when it does not say where the centre is. */
export function replicatorConfig({ manifest, emulatorHost, central, marketLeaseMs }: CellConfig) {
  if (central === undefined)
    throw new Error("CENTRAL_PROJECT and CENTRAL_MARKET_DATABASE are needed to replicate");
  return { manifest, emulatorHost, central, leaseMs: marketLeaseMs };
}

/** A variable that holds JSON; undefined when it is not set, or with its faults added to the others. */
function readJson<T>(
  name: string,
  schema: z.ZodType<T>,
  given: Readonly<Record<string, string | undefined>>,
  faults: string[],
): T | undefined {
  const text = given[name];
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    faults.push(`${name}: is not valid JSON`);
    return undefined;
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  faults.push(...faultsOf(parsed.error).map((f) => `${name} ${f.path}: ${f.message}`));
  return undefined;
}
