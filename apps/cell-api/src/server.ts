import { createApp } from "./app.ts";
import { composeCell } from "./compose.ts";
import { type CellConfig, loadConfig } from "./config.ts";
import { createLogger } from "./log.ts";
import { serve } from "./node-server.ts";

/** The plain server: Cloud Run, containers, and the local fleet. */
async function main(config: CellConfig): Promise<void> {
  const logger = createLogger({ level: config.logLevel, cell: config.cellId });
  const cell = composeCell(config, logger);
  const server = await serve(createApp(cell.deps).fetch, config);
  const { artefactDigest, commit } = config;
  logger.info({ host: config.host, port: server.port, artefactDigest, commit }, "cell is listening");

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
      await cell.close();
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
  await main(loadConfig());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
