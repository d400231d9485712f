import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const port = z.int().min(1).max(65_535);
const pid = z.int().min(1);

/** What `.fleet/state.json` says about the fleet that runs from this folder. */
export const fleetState = z.strictObject({
  phase: z.enum(["starting", "ready", "stopping"]),
  pid: pid.describe("The process that holds the fleet together; stopping it stops everything"),
  run: z.string().min(1).describe("Made anew at each start; the control endpoint repeats it"),
  startedAt: z.iso.datetime(),
  portBase: port,
  router: z.url(),
  control: z.url().describe("Answers on 127.0.0.1 only"),
  identity: z.strictObject({
    issuer: z.url().describe("Signs people's tokens; answers on 127.0.0.1 only"),
    issuerKeyFile: z.string(),
    proofFile: z.string().describe("Secrets by which cells know who asks them for the fleet"),
    keys: z
      .record(z.string(), z.string())
      .describe("Tenant → its development key, the same at each start from this folder"),
    addresses: z
      .record(z.string(), z.url())
      .describe(
        "Tenant → where its key works from code, whatever the resolver knows of names below localhost",
      ),
  }),
  metrics: z.url().describe("What the router counts: requests, failures and durations by cell"),
  doors: z
    .record(z.string(), z.url())
    .describe("Residency → an address of its front door that works from code, whatever its resolver knows"),
  savedAt: z.iso
    .datetime()
    .optional()
    .describe("When its data was last saved; absent: it keeps none, or has not yet"),
  directoryFile: z.string(),
  central: z.strictObject({
    project: z.string(),
    database: z.string(),
    deployDatabase: z.string(),
    relay: z.string().describe("host:port of its Firestore, behind the relay"),
    emulator: z.string(),
  }),
  warehouse: z.strictObject({
    project: z.string(),
    rest: z.url().describe("A stand-in for BigQuery, on DuckDB"),
    grpc: z.string().describe("host:port of its Storage Write API"),
  }),
  cells: z.record(
    z.string(),
    z.strictObject({
      artefact: z.string().describe("Digest of what it runs"),
      beside: z
        .strictObject({ artefact: z.string(), api: z.url(), bulk: z.url() })
        .optional()
        .describe("Another version beside it, which gets no requests: the next one, or the former"),
      api: z.url(),
      bulk: z.url().describe("Serves imports"),
      sink: z.url().describe("Carries events to the warehouse; /ready and /metrics tell how far it is"),
      relay: z.string(),
      emulator: z.string(),
      project: z.string(),
      databases: z.array(z.string()),
    }),
  ),
  hosts: z.record(z.string(), z.string()).describe("Host of production → URL on this machine"),
});
export type FleetState = z.infer<typeof fleetState>;

/** The same with every database at its emulator's own address: for the fleet's own work, which no fault at a relay may stop. */
export function besideRelays(state: FleetState): FleetState {
  const direct = <T extends { emulator: string }>(place: T) => ({ ...place, relay: place.emulator });
  const cells = Object.entries(state.cells).map(([id, cell]) => [id, direct(cell)] as const);
  return { ...state, central: direct(state.central), cells: Object.fromEntries(cells) };
}

const fileIn = (stateDir: string) => join(stateDir, "state.json");

/** Write the state whole or not at all. */
export async function writeState(stateDir: string, state: FleetState): Promise<void> {
  await mkdir(stateDir, { recursive: true });
  const next = `${fileIn(stateDir)}.${process.pid}.new`;
  // It holds keys: for its owner's eyes.
  await writeFile(next, `${JSON.stringify(fleetState.parse(state), null, 2)}\n`, { mode: 0o600 });
  await rename(next, fileIn(stateDir));
}

export async function removeState(stateDir: string): Promise<void> {
  await rm(fileIn(stateDir), { force: true });
}

/** What was last written, whether or not that fleet still runs. Unreadable is the same as none: it cannot be ours. */
export async function readState(stateDir: string): Promise<FleetState | undefined> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(fileIn(stateDir), "utf8"));
  } catch {
    return undefined;
  }
  const parsed = fleetState.safeParse(json);
  return parsed.success ? parsed.data : undefined;
}

/** The state of the fleet that runs now; `undefined` for none, and for one that was killed and left its file behind. */
export async function runningState(stateDir: string): Promise<FleetState | undefined> {
  const state = await readState(stateDir);
  if (state === undefined) return undefined;
  try {
    const response = await fetch(new URL("/run", state.control), { signal: AbortSignal.timeout(2_000) });
    return response.ok && (await response.text()) === state.run ? state : undefined;
  } catch {
    return undefined;
  }
}
