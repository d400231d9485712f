import type { PauseReader } from "@proveniq/db/pauses";
import { descriptorLimit } from "@proveniq/http-edge";
import { tellStrangers } from "./access/fleet-only.ts";
import { createApp } from "./app.ts";
import { composeCell } from "./compose.ts";
import { type CellConfig, loadConfig, replicatorConfig } from "./config.ts";
import { createLogger, type Logger } from "./log.ts";
import { serve } from "./node-server.ts";
import { sinkConfig } from "./sink-config.ts";
import { startTracing } from "./telemetry/start.ts";
import type { Tracing } from "./telemetry/tracing.ts";

/** Only the bulk service loads what reads and maps rows. */
async function importerOf(config: CellConfig) {
  if (config.service !== "bulk") return undefined;
  const { createImporter } = await import("./imports/compose.ts");
  return (pauses: PauseReader, share: () => number) => createImporter(config, pauses, share);
}

async function replicate(config: CellConfig, logger: Logger, tracing: Tracing): Promise<void> {
  const { serveReplicator } = await import("./replicate/service.ts");
  return serveReplicator(replicatorConfig(config), logger, tracing);
}

async function sink(config: CellConfig, logger: Logger, tracing: Tracing): Promise<void> {
  const { serveSink } = await import("@proveniq/analytics-sink/service");
  return serveSink({ ...config, ...sinkConfig(config), tracing }, logger);
}

/** The plain server: Cloud Run, containers, and the local fleet. */
async function main(config: CellConfig): Promise<void> {
  const logger = createLogger({
    level: config.logLevel,
    cell: config.cellId,
    project: config.manifest.project,
  });
  const tracing = await startTracing(config, config.service, logger);
  if (config.service === "replicate") return replicate(config, logger, tracing);
  if (config.service === "sink") return sink(config, logger, tracing);
  const cell = composeCell(config, logger, await importerOf(config));
  tellStrangers(config, logger);
  const server = await serve(createApp({ ...cell.deps, tracing }).fetch, {
    host: config.host,
    port: config.port,
    logger,
    edge: config.edge[config.service],
  });
  const { artefactDigest, commit } = config;
  logger.info({ host: config.host, port: server.port, artefactDigest, commit }, "cell is listening");
  // Whoever sends a book sends it at once and in many requests: the first of them are not to wait for a client being loaded.
  if (config.service === "bulk") {
    cell.connect().catch((error: unknown) => logger.warn({ error: String(error) }, "not connected ahead"));
  }

  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, "cell is stopping");
    // The database's client lets calls that it is still retrying fail unhandled when it is closed.
    process.on("unhandledRejection", (error) =>
      logger.warn({ error: String(error) }, "given up on stopping"),
    );
    const done = async () => {
      await server.drain();
      await Promise.all([cell.close(), tracing.flush()]);
      logger.info({}, "cell has stopped");
    };
    done().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ error: String(error) }, "cell did not stop cleanly");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

try {
  await main(loadConfig(undefined, descriptorLimit()));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
