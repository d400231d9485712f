import { setTimeout as sleep } from "node:timers/promises";
import type { Pause } from "@proveniq/contracts";
import { LeaseLost } from "@proveniq/db/lease";
import type { Delivery } from "../delivery/delivery.ts";
import { type SinkLogger, tellable } from "../log.ts";
import { type SinkTracing, untraced } from "../tracing.ts";
import { Backoff } from "./backoff.ts";

export interface CarryOptions {
  delivery: Delivery;
  database: string;
  logger: SinkLogger;
  tracing?: SinkTracing;
  signal: AbortSignal;
  /** Why it is to stand still; undefined while it is not. */
  paused?: () => Promise<Pause | undefined>;
  /** How long to wait when nothing waits. */
  idleMs: number;
  /** Age of the oldest page, in milliseconds, from which it is an alarm. */
  alarmAgeMs: number;
  backoff?: Backoff;
  /** Milliseconds since 1970. */
  now?: () => number;
  wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** How often a paused sink looks whether it still is, in milliseconds. */
const pausedMs = 2_000;

const waitFor = (ms: number, signal: AbortSignal) => sleep(ms, undefined, { signal }).catch(() => undefined);

/** How one outbox is doing. */
export interface Carrying {
  /** Milliseconds since 1970 of the last step that went well. */
  steppedAt: number | undefined;
  /** Failures in a row. */
  failures: number;
  /** Set while it stands still because an operator wants it to. */
  pause: Pause | undefined;
}

/** Step after step until told to stop: at once while there is work, with pauses when idle, slower after failures. */
export async function carry(options: CarryOptions, carrying: Carrying): Promise<void> {
  const { delivery, database, logger, tracing = untraced, signal, idleMs, alarmAgeMs } = options;
  const { backoff = new Backoff(), now = Date.now, wait = waitFor } = options;
  const { paused = () => Promise.resolve(undefined) } = options;
  let told = 0;
  const step = async (): Promise<number> => {
    const pause = await paused();
    if (pause?.since !== carrying.pause?.since) {
      if (pause === undefined) logger.info({ database }, "carrying events goes on");
      else logger.warn({ database, pause }, "the sink is paused and carries nothing");
    }
    carrying.pause = pause;
    if (pause !== undefined) {
      // What waits is not known any more: no sign of life may say that nothing does.
      carrying.steppedAt = undefined;
      return pausedMs;
    }
    let waitMs = 0;
    try {
      const did = await delivery.step();
      backoff.succeeded();
      carrying.steppedAt = now();
      waitMs = did === "worked" ? 0 : did === "idle" ? idleMs : Math.max(idleMs, 5_000);
    } catch (error) {
      waitMs = error instanceof LeaseLost ? idleMs : backoff.failed();
      const alarm = backoff.failures >= 5 ? { alarm: "sink-failing" as const } : {};
      logger.warn(
        { ...alarm, database, failures: backoff.failures, error: tellable(error) },
        "a delivery failed",
      );
    }
    carrying.failures = backoff.failures;
    const { oldest, pages, more } = delivery.backlog;
    const ageMs = oldest === undefined ? 0 : now() - oldest;
    if (ageMs > alarmAgeMs && now() - told > alarmAgeMs) {
      told = now();
      logger.error({ alarm: "outbox-old", database, ageMs, pages, more }, "events wait too long");
    }
    return waitMs;
  };
  while (!signal.aborted) {
    const waitMs = await tracing.step(step);
    if (waitMs > 0) await wait(waitMs, signal);
  }
}
