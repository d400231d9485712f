import { setTimeout as sleep } from "node:timers/promises";
import { ProblemError } from "@proveniq/contracts";

const pauseMs = 500;

/**
 * Do what may safely be done twice, and again while the database is too slow to answer, for `withinMs` in all: an emulator that
 * has just started, beside a build, may need longer over its first calls than any request gets. Other failures are thrown at once.
 */
export async function patiently<T>(
  what: string,
  work: () => Promise<T>,
  withinMs = 60_000,
  pause = pauseMs,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await work();
    } catch (cause) {
      if (!(cause instanceof ProblemError) || cause.code !== "database-unavailable") throw cause;
      if (Date.now() >= deadline) {
        throw new Error(
          `Could not ${what}: an emulator did not answer in ${withinMs / 1000} s. Is the machine very busy? ` +
            "The emulators' own logs are beside the others.",
          { cause },
        );
      }
      await sleep(pause);
    }
  }
}
