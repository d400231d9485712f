import { descriptorLimit } from "@proveniq/http-edge";
import { onRequest } from "firebase-functions/v2/https";
import { onSchedule } from "firebase-functions/v2/scheduler";
import { tellStrangers } from "./access/fleet-only.ts";
import { createApp } from "./app.ts";
import { composeCell } from "./compose.ts";
import { functionOf, loadFunctionsConfig, replicatorConfig } from "./config.ts";
import { takeServer } from "./functions-platform.ts";
import { type Fetch, listenerOf } from "./http/listener.ts";
import { createLogger } from "./log.ts";
import { sinkConfig } from "./sink-config.ts";
import { startTracing } from "./telemetry/start.ts";

// Nothing but functions may be exported here: the platform walks every export of this module.
const config = loadFunctionsConfig(undefined, descriptorLimit());
const logger = createLogger({
  level: config.logLevel,
  cell: config.cellId,
  project: config.manifest.project,
});
const interactive = once(async () => {
  const tracing = await startTracing(config, "api", logger);
  return createApp({ ...composeCell(config, logger).deps, tracing });
});
const importing = once(async () => {
  const { createImporter } = await import("./imports/compose.ts");
  const bulk = { ...config, service: "bulk", instances: config.manifest.capacity.bulkInstances } as const;
  const tracing = await startTracing(config, "bulk", logger);
  return createApp({
    ...composeCell(bulk, logger, (pauses, share) => createImporter(bulk, pauses, share)).deps,
    tracing,
  });
});

/** Each function is an instance of its own: what it does not serve, it does not load. */
function once(make: () => Promise<ReturnType<typeof createApp>>): Fetch {
  let app: ReturnType<typeof make> | undefined;
  return async (request, env) => {
    app ??= make();
    return (await app).fetch(request, env);
  };
}

const target = functionOf();
if (target === "api" || target === "bulk") tellStrangers(config, logger);
if (target === "api") takeServer(interactive, { edge: config.edge.api, logger });
if (target === "bulk") takeServer(importing, { edge: config.edge.bulk, logger });

/**
 * The same app on Cloud Functions; placed and sized by the cell's manifest. There requests never come this way, because the
 * platform's server is ours by then (functions-platform.ts): these are called by emulators, which have read the body before.
 */
export const api = onRequest(
  {
    region: config.manifest.region,
    maxInstances: config.manifest.capacity.apiInstances,
    concurrency: config.manifest.capacity.concurrency,
    memory: "512MiB",
    timeoutSeconds: 60,
    invoker: "public",
  },
  listenerOf(interactive, logger),
);

/** Imports: instances of their own, so that nobody who waits for an answer shares one with them. */
export const bulk = onRequest(
  {
    region: config.manifest.region,
    maxInstances: config.manifest.capacity.bulkInstances,
    // A chunk keeps an instance busy for seconds (imports/slots.ts); the rest is for those who ask how far it is.
    concurrency: 16,
    memory: "1GiB",
    timeoutSeconds: 120,
    invoker: "public",
  },
  listenerOf(importing, logger),
);

/**
 * Market values from the centre into this cell's replica: called every minute, it follows the centre through most of it,
 * one at a time under a lease. Its identity, not that of the API, may write to the replica.
 */
export const replicate = onSchedule(
  {
    schedule: "every 1 minutes",
    region: config.manifest.region,
    maxInstances: 1,
    memory: "512MiB",
    timeoutSeconds: 90,
    retryCount: 0,
  },
  async () => {
    const { replicateFor } = await import("./replicate/service.ts");
    const tracing = await startTracing(config, "replicate", logger);
    await replicateFor(replicatorConfig(config), logger, 57_000, tracing);
    await tracing.flush();
  },
);

/**
 * Events on their way to the warehouse: called every minute, it works through most of it, one at a time under a lease in
 * each database. It knows nothing of requests, and they nothing of it.
 */
export const sink = onSchedule(
  {
    schedule: "every 1 minutes",
    region: config.manifest.region,
    maxInstances: 1,
    memory: "512MiB",
    timeoutSeconds: 90,
    retryCount: 0,
  },
  async () => {
    const { carryFor } = await import("@proveniq/analytics-sink/service");
    const tracing = await startTracing(config, "sink", logger);
    await carryFor({ ...sinkConfig(config), tracing }, logger, 55_000);
    await tracing.flush();
  },
);
