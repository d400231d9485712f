import { join } from "node:path";
import { proofSecrets } from "@proveniq/contracts";
import { nodeProver } from "@proveniq/control-plane/proof";
import { untilOk, untilReady } from "../process/ready.ts";
import { Service, type ServiceEvents, type ServiceOptions } from "../process/service.ts";
import type { InstalledArtefact } from "./artefact.ts";
import type { CellPlace } from "./cell.ts";
import { bulkEnvironment, cellEnvironment, replicatorEnvironment } from "./environment.ts";
import { defaultTenantOf } from "./hosts.ts";
import type { FleetPlan } from "./plan.ts";

/** What every service of a fleet is started with. */
export interface ServiceContext {
  root: string;
  plan: FleetPlan;
  logs: string;
  environment: NodeJS.ProcessEnv;
  /** The secrets of all residencies, as text. */
  proof: string;
  logLevel: string;
  importPace: "manifest" | "off";
}

/** What proves to a cell that the fleet asks; made anew for each question, because a proof is good for a minute. */
function prover(
  { proof, plan }: ServiceContext,
  id: string,
): (url: string) => Readonly<Record<string, string>> {
  const prove = nodeProver(proofSecrets.parse(proof));
  const residency = plan.manifests[id]?.residency ?? "global";
  return (url) => prove(residency, url);
}

/** How one cell is started from an artefact at its place: the same files for every cell, told apart by their environment. */
export function cellOptions(
  context: ServiceContext,
  id: string,
  artefact: InstalledArtefact,
  at: CellPlace,
): ServiceOptions {
  const { plan, logs, logLevel } = context;
  const manifest = plan.manifests[id];
  const place = plan.state.cells[id];
  if (manifest === undefined || place === undefined) throw new Error(`No cell ${id} is planned`);
  return {
    command: process.execPath,
    args: ["server.js"],
    cwd: artefact.folder,
    env: {
      ...context.environment,
      ...cellEnvironment({
        id,
        manifest,
        defaultTenant: defaultTenantOf(plan.config, id),
        port: Number(new URL(at.api).port),
        emulatorHost: place.relay,
        issuer: plan.state.identity.issuer,
        artefact: artefact.digest,
        commit: artefact.commit,
        logLevel,
      }),
      // Others' are none of its business: it would not look at them either.
      PROOF_SECRETS: context.proof
        .split(",")
        .filter((secret) => secret.startsWith(`${manifest.residency}:`))
        .join(","),
    },
    logFile: join(logs, `${id}.log`),
    ready: (signal) => untilOk(`${at.api}/ready`, signal, prover(context, id)),
  };
}

/** A cell's bulk service, which works on imports: the same artefact on another port. */
export function bulkOptions(
  context: ServiceContext,
  id: string,
  artefact: InstalledArtefact,
  at: CellPlace,
): ServiceOptions {
  const { logs, importPace } = context;
  const cell = cellOptions(context, id, artefact, at);
  return {
    ...cell,
    env: { ...cell.env, ...bulkEnvironment(Number(new URL(at.bulk).port), importPace) },
    logFile: join(logs, `bulk-${id}.log`),
    ready: (signal) => untilOk(`${at.bulk}/ready`, signal, prover(context, id)),
  };
}

/**
 * Node flags of a replicator. It makes much garbage and keeps little: left to itself V8 would let the heap grow to
 * hundreds of megabytes before it looked.
 */
export const replicatorFlags: readonly string[] = ["--max-old-space-size=128", "--max-semi-space-size=8"];

/** A cell's replicator of market values: the same artefact, without a port. Ready when its replica is up to date. */
export function replicatorOptions(
  context: ServiceContext,
  id: string,
  artefact: InstalledArtefact,
  at: CellPlace,
): ServiceOptions {
  const { plan, logs } = context;
  const cell = cellOptions(context, id, artefact, at);
  const { central, cells } = plan.state;
  const place = cells[id];
  if (place === undefined) throw new Error(`No cell ${id} is planned`);
  const hosts = { central: central.relay, cell: place.relay };
  return {
    ...cell,
    args: [...replicatorFlags, ...cell.args],
    env: { ...cell.env, ...replicatorEnvironment(plan.config.central, hosts) },
    logFile: join(logs, `replicate-${id}.log`),
    ready: (signal) => untilReady(`${at.api}/ready`, signal, prover(context, id)),
  };
}

export function makeRouter(
  context: ServiceContext,
  bundle: string,
  directoryFile: string,
  events: ServiceEvents,
): Service {
  const port = context.plan.ports.router;
  return new Service(
    "router",
    {
      command: process.execPath,
      args: [bundle],
      cwd: context.root,
      env: {
        ...context.environment,
        PORT: String(port),
        METRICS_PORT: String(context.plan.ports.metrics),
        DIRECTORY_FILE: directoryFile,
        FLEET_ZONE: context.plan.config.zone,
        PROOF_SECRETS: context.proof,
        GOOGLE_CLOUD_PROJECT: context.plan.config.central.project,
        LOG_LEVEL: context.logLevel,
      },
      logFile: join(context.logs, "router.log"),
      ready: (signal) => untilOk(`http://127.0.0.1:${port}/health`, signal),
    },
    events,
  );
}
