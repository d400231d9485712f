import { readFile } from "node:fs/promises";
import { z } from "zod";

/** What the demo needs to know of the running fleet, from the file that `npm start` keeps. */
const state = z.object({
  phase: z.string(),
  router: z.url(),
  identity: z.object({
    issuer: z.url(),
    issuerKeyFile: z.string(),
    keys: z.record(z.string(), z.string()),
  }),
  hosts: z.record(z.string(), z.url()),
  cells: z.record(
    z.string(),
    z.object({
      api: z.url(),
      relay: z.string(),
      emulator: z.string(),
      project: z.string(),
      databases: z.array(z.string()),
    }),
  ),
});
export type Fleet = z.infer<typeof state>;

/** Read `.fleet/state.json`, or say how to start a fleet. */
export async function runningFleet(): Promise<Fleet> {
  const file = new URL("../../.fleet/state.json", import.meta.url);
  const text = await readFile(file, "utf8").catch(() => undefined);
  const found = text === undefined ? undefined : state.parse(JSON.parse(text));
  const alive =
    found &&
    (await fetch(new URL("/health", found.router))
      .then((r) => r.ok)
      .catch(() => false));
  if (found === undefined || !alive)
    throw new Error("No fleet runs here. Start one in another terminal: npm start");
  if (found.phase !== "ready") throw new Error("The fleet is still starting. Try again in a moment.");
  return found;
}

/** The name, without a port, by which this machine calls one of the fleet's hosts. */
export function hostOf(fleet: Fleet, host: string): string {
  const url = fleet.hosts[host];
  if (url === undefined) throw new Error(`The fleet does not serve ${host}`);
  return new URL(url).host;
}
