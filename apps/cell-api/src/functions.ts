import "./functions-platform.ts";
import { getRequestListener } from "@hono/node-server";
import { onRequest } from "firebase-functions/v2/https";
import { createApp } from "./app.ts";
import { composeCell } from "./compose.ts";
import { loadConfig } from "./config.ts";
import { createLogger } from "./log.ts";

// Nothing but functions may be exported here: the platform walks every export of this module.
const config = loadConfig();
const logger = createLogger({ level: config.logLevel, cell: config.cellId });
const app = createApp(composeCell(config, logger).deps);
const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });

/**
 * The same app on Cloud Functions; placed and sized by the cell's manifest.
 *
 * The platform parses an `application/json` body before this is called. A body that is not JSON never gets here: the
 * platform answers 400 as HTML, without its content (functions-platform.ts sees to that). Every other fault is
 * answered by the app.
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
  (request, response) => listener(request, response),
);
