import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FleetConflict, type FleetState, type RunningFleet, startFleet } from "@proveniq/local-cloud/fleet";
import type { TestProject } from "vitest/node";
import { shareEnvironment } from "./environment.ts";

declare module "vitest" {
  interface ProvidedContext {
    /**
     * The one fleet that all tests of this project share: its URLs, keys and control endpoint (`controlClient(fleet.control)`).
     * A test may cut relays and kill cells, and leaves it healthy.
     */
    fleet: FleetState;
  }
}

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** Below the range of outgoing connections, and clear of a fleet that a person runs on the default ports. */
const bases = Array.from({ length: 6 }, (_, n) => 22_000 + 1_000 * n);

/** Starts the fleet; its logs stay in .fleet/tests/<port> to be read after a failure. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shareEnvironment();
  const { fleet, stateDir } = await startSomewhere();
  project.provide("fleet", fleet.state);
  return async () => {
    await fleet.stop();
    await rm(join(stateDir, "artefacts"), { recursive: true, force: true });
  };
}

/** On the first ports that nobody holds: somebody else may be running the tests as well. */
async function startSomewhere(): Promise<{ fleet: RunningFleet; stateDir: string }> {
  for (const portBase of bases) {
    const stateDir = join(root, ".fleet", "tests", String(portBase));
    try {
      return { fleet: await startFleet({ root, portBase, stateDir, heapMb: 2_048 }), stateDir };
    } catch (error) {
      if (!(error instanceof FleetConflict)) throw error;
    }
  }
  throw new Error(`No ports are free for the tests' fleet: ${bases.join(", ")} are all in use`);
}
