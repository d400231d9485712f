import {
  hostname,
  type OriginRule,
  type ProofSecret,
  proofSecrets,
  type TraceExport,
  traceExportEnvironment,
  traceExportOf,
} from "@proveniq/contracts";
import { z } from "zod";
import { type Limits, limitsEnvironment, limitsOf } from "./limits.ts";

const port = z.coerce.number().int().min(0).max(65_535);

const environment = z
  .object({
    PORT: port.default(8080),
    HOST: z.string().min(1).default("0.0.0.0"),
    METRICS_PORT: port.optional(),
    DIRECTORY_FILE: z.string().min(1).optional(),
    EDGE_CONFIG: z.string().min(1).optional(),
    DIRECTORY_REDIS: z.url({ protocol: /^rediss?$/ }).optional(),
    DIRECTORY_KEEP: z.string().min(1).optional(),
    FLEET_ZONE: hostname,
    PROVENIQ_ENV: z.enum(["development", "production"]).default("production"),
    GOOGLE_CLOUD_PROJECT: z
      .string()
      .regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/, "must be a project id")
      .optional(),
    ...traceExportEnvironment,
    ...limitsEnvironment,
    PROOF_SECRETS: proofSecrets.optional(),
    LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  })
  .superRefine((env, ctx) => {
    const named = [env.DIRECTORY_FILE, env.EDGE_CONFIG, env.DIRECTORY_REDIS].filter((v) => v !== undefined);
    const message =
      "exactly one of DIRECTORY_FILE (path of a snapshot), EDGE_CONFIG (connection string) and DIRECTORY_REDIS (URL) is needed";
    if (named.length !== 1) ctx.addIssue({ code: "custom", path: ["DIRECTORY_FILE"], message });
    if (env.DIRECTORY_FILE !== undefined && env.DIRECTORY_KEEP !== undefined)
      ctx.addIssue({
        code: "custom",
        path: ["DIRECTORY_KEEP"],
        message: "is not needed beside DIRECTORY_FILE",
      });
  });

/** Where the directory is read from. `keep`: a file that carries what is known across restarts. */
export type DirectorySource =
  | { kind: "file"; file: string }
  | { kind: "edge-config"; connection: string; keep: string | undefined }
  | { kind: "redis"; url: string; keep: string | undefined };

export interface RouterConfig {
  port: number;
  host: string;
  /** Undefined: metrics are not offered. */
  metricsPort: number | undefined;
  directory: DirectorySource;
  /** Where cells may be, whatever the directory says. */
  origins: OriginRule;
  development: boolean;
  /** By which cells know the router, of the residencies that it serves. */
  proofSecrets: readonly ProofSecret[];
  /** Where traces are looked up; undefined: log lines name a trace by its id alone. */
  project: string | undefined;
  /** Where spans are sent; undefined: none is made. */
  traces: TraceExport | undefined;
  logLevel: z.infer<typeof environment>["LOG_LEVEL"];
  limits: Limits;
}

/**
 * Read the router's configuration. Throws one Error that names every fault. `descriptors`: how many files and sockets the process
 * may have open.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env, descriptors?: number): RouterConfig {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
    throw new Error(`The router's environment is not valid:\n${lines.join("\n")}`);
  }
  const { PORT, HOST, METRICS_PORT, FLEET_ZONE, PROVENIQ_ENV, GOOGLE_CLOUD_PROJECT, LOG_LEVEL } = parsed.data;
  return {
    port: PORT,
    host: HOST,
    metricsPort: METRICS_PORT,
    directory: sourceOf(parsed.data),
    origins: { zone: FLEET_ZONE, loopback: PROVENIQ_ENV === "development" },
    development: PROVENIQ_ENV === "development",
    proofSecrets: parsed.data.PROOF_SECRETS ?? [],
    project: GOOGLE_CLOUD_PROJECT,
    traces: traceExportOf(parsed.data),
    logLevel: LOG_LEVEL,
    limits: limitsOf(parsed.data, descriptors),
  };
}

function sourceOf(env: z.infer<typeof environment>): DirectorySource {
  const keep = env.DIRECTORY_KEEP;
  if (env.EDGE_CONFIG !== undefined) return { kind: "edge-config", connection: env.EDGE_CONFIG, keep };
  if (env.DIRECTORY_REDIS !== undefined) return { kind: "redis", url: env.DIRECTORY_REDIS, keep };
  return { kind: "file", file: env.DIRECTORY_FILE ?? "" };
}

/** The configuration at the edge, where the platform sets EDGE_CONFIG by itself once a store is connected. */
export function readEdgeConfig(env: NodeJS.ProcessEnv = process.env): {
  connection: string;
  origins: OriginRule;
  proofSecrets: readonly ProofSecret[];
} {
  const connection = z.string().min(1).safeParse(env["EDGE_CONFIG"]);
  if (!connection.success) throw new Error("EDGE_CONFIG is missing: connect an Edge Config to the project.");
  const zone = hostname.safeParse(env["FLEET_ZONE"]);
  if (!zone.success) throw new Error("FLEET_ZONE is missing: set it to the zone of infra/fleet.json.");
  const secrets = proofSecrets.optional().safeParse(env["PROOF_SECRETS"] || undefined);
  if (!secrets.success) throw new Error(`PROOF_SECRETS ${secrets.error.issues[0]?.message}.`);
  const loopback = env["PROVENIQ_ENV"] === "development";
  return {
    connection: connection.data,
    origins: { zone: zone.data, loopback },
    proofSecrets: secrets.data ?? [],
  };
}
