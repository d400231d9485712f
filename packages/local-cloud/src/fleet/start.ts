import { Fleet } from "./fleet.ts";
import type { FleetOptions, RunningFleet } from "./types.ts";

/**
 * Start the whole fleet on this machine: an emulator with a relay for the central project and for each cell, the cells, the
 * router, and tenants to try it with. Resolves when all of it is ready; on a failure stops what it had started. Throws
 * `FleetConflict` when a fleet runs already or a port is taken.
 *
 * With `signal`, an abort stops the start wherever it is.
 */
export async function startFleet(options: FleetOptions, signal?: AbortSignal): Promise<RunningFleet> {
  const fleet = new Fleet(options);
  const aborted = new Promise<never>((_, reject) => {
    const fail = () => reject(new Error("stopped while starting"));
    if (signal?.aborted === true) fail();
    signal?.addEventListener("abort", fail, { once: true });
  });
  aborted.catch(() => undefined);
  const starting = fleet.start();
  try {
    await Promise.race([starting, aborted]);
    return fleet;
  } catch (error) {
    starting.catch(() => undefined);
    // A call that was under way when its database is closed may fail with nobody waiting for it any more. That must
    // not end the process with an error of its own: this one is the cause.
    const overtaken = () => undefined;
    process.on("unhandledRejection", overtaken);
    await fleet.stop().finally(() => process.off("unhandledRejection", overtaken));
    throw error;
  }
}
