import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type FleetState, runningState } from "@proveniq/local-cloud/fleet";

const { values } = parseArgs({ options: { "state-dir": { type: "string" }, quick: { type: "boolean" } } });

/** `--quick`: a part of the large books is enough, and the global view is left out. */
export const quick = values.quick === true;

/** The fleet that runs here, or how to start one. `--state-dir` names another than this repository's. */
export async function runningFleet(): Promise<FleetState> {
  const fleet = await runningState(
    values["state-dir"] ?? fileURLToPath(new URL("../../.fleet", import.meta.url)),
  );
  if (fleet === undefined) throw new Error("No fleet runs here. Start one in another terminal: npm start");
  if (fleet.phase !== "ready") throw new Error("The fleet is still starting. Try again in a moment.");
  return fleet;
}

/** The name and port by which this machine calls one of the fleet's hosts. */
export function hostOf(fleet: FleetState, host: string): string {
  const url = fleet.hosts[host];
  if (url === undefined) throw new Error(`The fleet does not serve ${host}`);
  return new URL(url).host;
}
