import type { CellManifest } from "@proveniq/contracts";
import { rawDataset } from "@proveniq/contracts/warehouse";
import { DatabasePool } from "@proveniq/db/pool";
import { SeenMarks } from "./delivery/seen-marks.ts";
import { type DayKeys, FileKeys, SecretManagerKeys } from "./keys/index.ts";
import { serviceAccountToken } from "./keys/token.ts";
import type { SinkLogger } from "./log.ts";
import { serveHealth } from "./run/health.ts";
import { Sink } from "./run/sink.ts";
import { type SinkTracing, untraced } from "./tracing.ts";
import { StorageWriteWarehouse } from "./warehouse/storage-write.ts";

/** What the sink of a cell needs to know. */
export interface SinkConfig {
  cellId: string;
  manifest: CellManifest;
  /** The tenant of the cell's own consumers. */
  defaultTenant: string | undefined;
  emulatorHost: string | undefined;
  warehouse: {
    project: string;
    /** `host:port` of the local warehouse; undefined for BigQuery. */
    localHost: string | undefined;
  };
  /** Folder for the keys of pseudonyms on one machine; undefined for Secret Manager. */
  keysFolder: string | undefined;
  leaseMs: number;
  /** People count from this many days after their first change; undefined for what production does. */
  minimumAgeDays?: number | undefined;
  /** Without it nothing is recorded. */
  tracing?: SinkTracing;
}

/** A function is called again and again in one process: what it sent before is remembered in between. */
const seenHere = new SeenMarks();

/** The sink of one cell with all that it opens. */
export function createSink(config: SinkConfig, logger: SinkLogger) {
  const {
    cellId,
    manifest,
    defaultTenant,
    emulatorHost,
    warehouse: place,
    leaseMs,
    tracing = untraced,
  } = config;
  const pool = new DatabasePool({
    projectId: manifest.project,
    allow: manifest.databases.map((d) => d.id),
    ...(emulatorHost === undefined ? {} : { emulatorHost }),
  });
  const warehouse = new StorageWriteWarehouse({ ...place, dataset: rawDataset(manifest.residency) });
  const local = place.localHost !== undefined;
  const sink = new Sink({
    cell: { id: cellId, region: manifest.region, consumers: defaultTenant },
    manifest,
    pool,
    warehouse,
    keys: keysOf(config),
    seen: seenHere,
    ...(config.minimumAgeDays === undefined ? {} : { minimumAgeDays: config.minimumAgeDays }),
    logger,
    tracing,
    leaseMs,
    ...(local ? { idleMs: 500, heartbeatMs: 15_000 } : {}),
  });
  return {
    sink,
    close: async () => {
      await Promise.all([pool.close(), warehouse.close(), tracing.flush()]);
    },
  };
}

function keysOf({ keysFolder, manifest, cellId }: SinkConfig): DayKeys {
  if (keysFolder !== undefined) return new FileKeys(keysFolder);
  const { project, region } = manifest;
  return new SecretManagerKeys({ project, cell: cellId, region, token: serviceAccountToken() });
}

const stopWithinMs = 4_000;

/** The sink as a process of its own, until SIGTERM or SIGINT. */
export async function serveSink(
  config: SinkConfig & { host: string; port: number },
  logger: SinkLogger,
): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort());
  const { sink, close } = createSink(config, logger);
  const health = await serveHealth(sink, config.host, config.port);
  logger.info({ port: health.port, project: config.warehouse.project }, "carrying events to the warehouse");
  const running = sink.run(stop.signal);
  stop.signal.addEventListener("abort", () => {
    // What is under way may hang on a database or warehouse that is down. Leaving it is safe at any moment.
    setTimeout(() => process.exit(0), stopWithinMs).unref();
  });
  await running;
  // The database's client lets calls that it is still retrying fail unhandled when it is closed.
  process.on("unhandledRejection", (error) => logger.warn({ error: String(error) }, "given up on stopping"));
  await close();
  health.stop();
  logger.info({}, "the sink has stopped");
  process.exit(0);
}

/** Carry events for some time: what a function that is called every minute does. */
export async function carryFor(config: SinkConfig, logger: SinkLogger, milliseconds: number): Promise<void> {
  const { sink, close } = createSink(config, logger);
  try {
    await sink.run(AbortSignal.timeout(milliseconds));
  } finally {
    await close();
  }
}
