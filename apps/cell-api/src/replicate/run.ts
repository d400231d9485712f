import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, type Pause } from "@proveniq/contracts";
import type { Logger } from "../log.ts";
import { type Tracing, untraced } from "../telemetry/tracing.ts";
import type { Replicator } from "./replicator.ts";

export interface RunOptions {
  replicator: Pick<Replicator, "step" | "release">;
  /** Why it is to stand still; undefined while it is not. */
  paused: () => Promise<Pause | undefined>;
  /** Compare one bucket; called now and then while there is nothing else to do. */
  audit: () => Promise<unknown>;
  logger: Logger;
  tracing?: Tracing;
  /** How often the centre is looked at when there is nothing to do. */
  pollMs: number;
  /** How often a bucket is compared. */
  auditMs: number;
  /** How often a paused replicator looks whether it still is. */
  pausedMs?: number;
  /** Longest wait after a failure. */
  maxBackoffMs?: number;
  signal: AbortSignal;
}

/** Half a minute of failures: what is shorter mends itself. */
const ringAfter = 8;
const rings = { alarm: "replicator-failing" };

/** Follow the centre until `signal`; failures are waited out. Leaves the lease to the next replicator. */
export async function runReplicator(options: RunOptions): Promise<void> {
  const { replicator, logger, tracing = untraced, pollMs, auditMs } = options;
  const { maxBackoffMs = 5_000, pausedMs = 2_000, signal } = options;
  let failures = 0;
  // The first comparison soon after the start, so that a process that never lives long compares too.
  let auditAt = Date.now() + Math.min(auditMs, 10_000);
  let auditing: Promise<unknown> | undefined;
  let pausedSince: string | undefined;
  const step = async (): Promise<number> => {
    const pause = await options.paused();
    if (pause?.since !== pausedSince) {
      pausedSince = pause?.since;
      if (pause === undefined) logger.info({}, "replicating goes on");
      else logger.warn({ pause }, "the replicator is paused and does nothing");
    }
    if (pause !== undefined) {
      return pausedMs;
    }
    try {
      const did = await replicator.step();
      if (failures > 0) logger.info({ failures }, "replicating again");
      failures = 0;
      if (did === "worked") return 0;
      if (did === "current" && auditing === undefined && Date.now() >= auditAt) {
        auditAt = Date.now() + auditMs;
        // Beside the replicating, which must not wait for it.
        auditing = options
          .audit()
          .catch((error: unknown) => {
            logger.warn({ error: messageOf(error) }, "comparing with the centre failed");
          })
          .finally(() => {
            auditing = undefined;
          });
      }
      return pollMs;
    } catch (error) {
      failures++;
      // Every failure of a long outage would drown the log.
      if (Number.isInteger(Math.log2(failures))) {
        const [level, alarm] = failures < ringAfter ? (["warn", {}] as const) : (["error", rings] as const);
        logger[level](
          { ...alarm, failures, error: messageOf(error) },
          "replicating failed and is tried again",
        );
      }
      return Math.min(maxBackoffMs, pollMs * 2 ** Math.min(failures, 10));
    }
  };
  while (!signal.aborted) {
    const waitMs = await tracing.step(step);
    if (waitMs > 0) await idle(waitMs, signal);
  }
  await auditing;
  await replicator.release().catch((error: unknown) => {
    logger.warn({ error: messageOf(error) }, "the lease could not be released and will run out");
  });
}

async function idle(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
