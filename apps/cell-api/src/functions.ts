import "./functions-platform.ts";
import { onRequest } from "firebase-functions/v2/https";
import { onSchedule } from "firebase-functions/v2/scheduler";
import { createApp } from "./app.ts";
import { composeCell } from "./compose.ts";
import { loadFunctionsConfig, replicatorConfig } from "./config.ts";
import { listenerOf, type Refusal } from "./http/listener.ts";
import { createLogger } from "./log.ts";
import { sinkConfig } from "./sink-config.ts";
import { startTracing } from "./telemetry/start.ts";

// Nothing but functions may be exported here: the platform walks every export of this module.
const config = loadFunctionsConfig();
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
  return createApp({ ...composeCell(bulk, logger, (pauses) => createImporter(bulk, pauses)).deps, tracing });
});

const onRefused = (refusal: Refusal) => logger.info(refusal, "refused before it was a request");

/** Each function is an instance of its own: what it does not serve, it does not load. */
function once(make: () => Promise<ReturnType<typeof createApp>>) {
  let listener: Promise<ReturnType<typeof listenerOf>> | undefined;
  return () => {
    listener ??= make().then((app) => listenerOf(app.fetch, onRefused));
    return listener;
  };
}

/**
 * The same app on Cloud Functions; placed and sized by the cell's manifest.
 *
 * The platform parses an `application/json` body before this is called. A body that is not JSON never gets here, nor does
 * a path with a broken escape: the platform answers 400 as HTML, without its content (functions-platform.ts sees to that).
 * Every other fault is answered by the app.
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
  async (request, response) => (await interactive())(request, response),
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
  async (request, response) => (await importing())(request, response),
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
