import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type CellManifest, defaultDatabase } from "@proveniq/contracts";
import { defaultMinimumAgeDays } from "@proveniq/contracts/warehouse";
import { KnownPeople } from "@proveniq/db/outbox/people";
import { OutboxSink } from "@proveniq/db/outbox/sink";
import { PauseReader } from "@proveniq/db/pauses";
import type { DatabasePool } from "@proveniq/db/pool";
import { dayOf } from "../anonymise/index.ts";
import { Delivery, outboxName } from "../delivery/delivery.ts";
import type { SinkCell } from "../delivery/prepare.ts";
import { SeenMarks } from "../delivery/seen-marks.ts";
import type { DayKeys } from "../keys/index.ts";
import { type SinkLogger, tellable } from "../log.ts";
import { type SinkTracing, untraced } from "../tracing.ts";
import type { Warehouse } from "../warehouse/port.ts";
import { type Carrying, carry } from "./carry.ts";
import { sendHeartbeat } from "./heartbeat.ts";

export interface SinkDeps {
  cell: SinkCell;
  manifest: CellManifest;
  pool: DatabasePool;
  warehouse: Warehouse;
  keys: DayKeys;
  logger: SinkLogger;
  tracing?: SinkTracing;
  /** Which marks were sent before, if another run of this process knows. */
  seen?: SeenMarks;
  /** People count from this many days after their first change. */
  minimumAgeDays?: number;
  leaseMs?: number;
  idleMs?: number;
  heartbeatMs?: number;
  alarmAgeMs?: number;
}

/** How one database's outbox is doing, for `/ready` and `/metrics`. */
export interface SinkStatus extends Carrying {
  database: string;
  delivery: Delivery | undefined;
}

/**
 * Carries every outbox of a cell, each under a lease of its own, until told to stop. A database that fails does not hold up
 * the others.
 */
export class Sink {
  readonly #deps: Required<SinkDeps>;
  readonly #pauses: PauseReader;
  readonly statuses: SinkStatus[];

  constructor(deps: SinkDeps) {
    this.#deps = {
      seen: new SeenMarks(),
      tracing: untraced,
      minimumAgeDays: defaultMinimumAgeDays,
      leaseMs: 30_000,
      idleMs: 1_000,
      heartbeatMs: 300_000,
      alarmAgeMs: 900_000,
      ...deps,
    };
    const { pool, manifest } = deps;
    this.#pauses = new PauseReader({ open: () => pool.open(defaultDatabase(manifest)), what: "sink" });
    this.statuses = deps.manifest.databases.map(({ id }) => ({
      database: id,
      delivery: undefined,
      steppedAt: undefined,
      failures: 0,
      pause: undefined,
    }));
  }

  /** Resolves when `signal` aborts and everything under way has ended. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.statuses.map((status) => this.#carry(status, signal)), this.#beat(signal)]);
  }

  async #carry(status: SinkStatus, signal: AbortSignal): Promise<void> {
    const { cell, manifest, pool, warehouse, keys, seen, minimumAgeDays, logger, tracing } = this.#deps;
    const { leaseMs, idleMs, alarmAgeMs } = this.#deps;
    const firestore = await pool.open(status.database);
    const database = `${manifest.project}/${status.database}`;
    const outbox = new OutboxSink(firestore, outboxName(database), randomUUID(), leaseMs);
    const known = new KnownPeople(firestore);
    const ages = { since: known.since.bind(known), minimumDays: minimumAgeDays };
    const delivery = new Delivery({ cell, database, outbox, warehouse, keys, ages, seen, logger, tracing });
    status.delivery = delivery;
    const paused = () => this.#pauses.current();
    await carry({ delivery, database, paused, logger, tracing, signal, idleMs, alarmAgeMs }, status);
    await outbox.release().catch((error: unknown) => {
      logger.warn(
        { database, error: tellable(error) },
        "the lease was not given back; it runs out by itself",
      );
    });
  }

  /** Signs of life, and keys that have had their time. */
  async #beat(signal: AbortSignal): Promise<void> {
    const { cell, warehouse, keys, logger, heartbeatMs } = this.#deps;
    while (!signal.aborted) {
      try {
        await keys.destroyExpired(dayOf(new Date()));
        // Before every outbox was looked at nobody knows what waits.
        if (this.statuses.every((s) => s.steppedAt !== undefined)) {
          await sendHeartbeat(warehouse, cell, () => this.oldest());
          await sleep(heartbeatMs, undefined, { signal }).catch(() => undefined);
          continue;
        }
      } catch (error) {
        logger.warn({ error: tellable(error) }, "a sign of life was not sent");
        await sleep(Math.min(heartbeatMs, 30_000), undefined, { signal }).catch(() => undefined);
      }
      const paused = this.statuses.some((s) => s.pause !== undefined);
      const again = paused ? Math.min(heartbeatMs, 30_000) : 500;
      await sleep(again, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Milliseconds since 1970 of the oldest event that waits; undefined when none does. */
  oldest(): number | undefined {
    const times = this.statuses.flatMap((s) => s.delivery?.backlog.oldest ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  }
}
