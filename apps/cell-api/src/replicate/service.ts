import { randomUUID } from "node:crypto";
import type { CellManifest } from "@proveniq/contracts";
import { PublishedMarket } from "@proveniq/db/market/centre";
import { ReplicaWriter } from "@proveniq/db/market/replica";
import { PauseReader } from "@proveniq/db/pauses";
import { DatabasePool } from "@proveniq/db/pool";
import type { Logger } from "../log.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import { auditBucket, bucketInTurn } from "./audit.ts";
import { Pace } from "./pace.ts";
import { Replicator } from "./replicator.ts";
import { runReplicator } from "./run.ts";

/** What the replicator of a cell needs to know. */
export interface ReplicatorConfig {
  manifest: Pick<CellManifest, "project" | "marketDatabase">;
  emulatorHost: string | undefined;
  /** Where market values are published. */
  central: { project: string; marketDatabase: string; emulatorHost: string | undefined };
  /** How long after its last sign of life another replicator takes over. */
  leaseMs: number;
}

/** How often the centre is looked at. With the reader's poll each second, a value is seen well within two. */
const pollMs = 333;
/** A bucket each minute: the whole replica is compared within five hours. */
const auditMs = 60_000;
/** Documents a second: Firestore asks new collections to start slowly; emulators have no such limit. */
const rates = { cloud: { startRate: 500, maxRate: 2_000 }, emulator: { startRate: 1e6, maxRate: 1e6 } };

/** The replicator of one cell with its two databases: it reads from the centre, and writes to the cell's replica only. */
export function createReplicator(config: ReplicatorConfig, logger: Logger, tracing: Tracing) {
  const { central, manifest, leaseMs } = config;
  const centrePool = new DatabasePool({
    projectId: central.project,
    allow: [central.marketDatabase],
    readOnly: true,
    ...(central.emulatorHost === undefined ? {} : { emulatorHost: central.emulatorHost }),
  });
  const replicaPool = new DatabasePool({
    projectId: manifest.project,
    allow: [manifest.marketDatabase.id],
    ...(config.emulatorHost === undefined ? {} : { emulatorHost: config.emulatorHost }),
  });
  const centre = new PublishedMarket(() => centrePool.open(central.marketDatabase));
  const open = () => replicaPool.open(manifest.marketDatabase.id);
  // In the replica's own database: it can read no other of this cell.
  const pauses = new PauseReader({ open, what: "replicator" });
  return {
    /** Replicate until `signal`. */
    async run(signal: AbortSignal): Promise<void> {
      const replicator = new Replicator({
        centre,
        replica: new ReplicaWriter(await open(), randomUUID(), leaseMs),
        pace: new Pace(config.emulatorHost === undefined ? rates.cloud : rates.emulator),
        logger,
        tracing,
        heartbeatMs: Math.min(5_000, leaseMs / 3),
      });
      const audit = () => auditBucket({ centre, open, logger }, bucketInTurn(Date.now(), auditMs));
      const paused = () => pauses.current();
      await runReplicator({ replicator, paused, audit, logger, tracing, pollMs, auditMs, signal });
    },
    /** Documents read at the centre so far. */
    get reads(): number {
      return centre.reads;
    },
    async close(): Promise<void> {
      await Promise.all([centrePool.close(), replicaPool.close()]);
    },
  };
}

/** Replicate for so long, as a scheduled function does through its minute. The pools live on for the next one. */
export async function replicateFor(
  config: ReplicatorConfig,
  logger: Logger,
  ms: number,
  tracing: Tracing,
): Promise<void> {
  scheduled ??= createReplicator(config, logger, tracing);
  await scheduled.run(AbortSignal.timeout(ms));
}

let scheduled: ReturnType<typeof createReplicator> | undefined;

/** The replicator as a process of its own, until SIGTERM or SIGINT. */
export async function serveReplicator(
  config: ReplicatorConfig,
  logger: Logger,
  tracing: Tracing,
): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort());
  const replicator = createReplicator(config, logger, tracing);
  logger.info({ central: config.central.project }, "replicating market values");
  await replicator.run(stop.signal);
  // The database's client lets calls that it is still retrying fail unhandled when it is closed.
  process.on("unhandledRejection", (error) => logger.warn({ error: String(error) }, "given up on stopping"));
  await Promise.all([replicator.close(), tracing.flush()]);
  logger.info({ reads: replicator.reads }, "the replicator has stopped");
  process.exit(0);
}
