import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadFleet } from "@proveniq/control-plane";
import { type Packed, unpackArtefact } from "@proveniq/control-plane/artefact";
import { trial } from "@proveniq/control-plane/deploy";
import { openLocalEnvironment } from "./local-environment.ts";
import { busyFleetPorts } from "./plan.ts";
import { maxPortBase } from "./ports.ts";
import { startFleet } from "./start.ts";

const trialSeconds = 8;
const heapMb = 512;

/**
 * Try an artefact in a cell that is made for it on this machine and thrown away again: its own emulator, router and
 * tenant, whom nobody is. No cell of the fleet knows of it. Throws why the artefact must not go further.
 */
export async function playCanary(root: string, packed: Packed, signal: AbortSignal): Promise<void> {
  const { config } = await loadFleet(join(root, "infra"));
  const { cell } = config.defaults.global;
  const stateDir = await mkdtemp(join(tmpdir(), "fleet-canary-"));
  try {
    const folder = await unpackArtefact(packed, join(stateDir, "packed"));
    const artefact = { digest: packed.digest, commit: packed.commit, folder };
    const portBase = await freePortBase(root, stateDir, cell);
    const fleet = await startFleet({ root, stateDir, portBase, cells: [cell], heapMb, artefact }, signal);
    try {
      const environment = await openLocalEnvironment(root, stateDir, fleet.state);
      try {
        await trial(environment.deploys, cell, packed.digest, trialSeconds, signal);
      } finally {
        await environment.close();
      }
    } finally {
      await fleet.stop();
    }
  } finally {
    await rm(stateDir, { recursive: true, force: true });
  }
}

async function freePortBase(root: string, stateDir: string, cell: string): Promise<number> {
  for (let portBase = 20_080; portBase < maxPortBase; portBase += 1_000) {
    const busy = await busyFleetPorts({ root, stateDir, portBase, cells: [cell] });
    if (busy.length === 0) return portBase;
  }
  throw new Error("no ports are free for a canary");
}
