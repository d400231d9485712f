import { type FleetState, mintLocalToken, sampleTenant } from "@proveniq/local-cloud/fleet";
import type { Caller } from "../../examples/demo/client.ts";
import { hostOf } from "../../examples/demo/fleet.ts";

/** Where each seeded partner calls. */
const hosts = {
  "carrier-a": "carrier-a.proveniq.io",
  "atelier-nord": "eu.proveniq.io",
  "nordic-mutual": "nordic-mutual.proveniq.io",
} as const;

/** A partner's own system, with its key. */
export function partner(fleet: FleetState, tenant: keyof typeof hosts): Caller {
  return { host: hostOf(fleet, hosts[tenant]), authorization: `Bearer ${fleet.identity.keys[tenant]}` };
}

/** A consumer of Cell 0 (`consumer`) or of the EU (`eu`). */
export async function consumer(
  fleet: FleetState,
  subject: string,
  cell: "consumer" | "eu" = "consumer",
): Promise<Caller> {
  const host = hostOf(fleet, cell === "eu" ? "eu.proveniq.io" : "api.proveniq.io");
  return { host, authorization: `Bearer ${await mintLocalToken(fleet, { subject, cell })}` };
}

/** One caller in each cell, those that were added to the repository included. */
export async function callerPerCell(fleet: FleetState): Promise<CallerPerCell> {
  const known = {
    consumer: await consumer(fleet, "somebody"),
    "enterprise-a": partner(fleet, "carrier-a"),
    eu: partner(fleet, "atelier-nord"),
  };
  const added = Object.keys(fleet.cells).filter((cell) => !Object.hasOwn(known, cell));
  return { ...Object.fromEntries(added.map((cell) => [cell, sample(fleet, cell)])), ...known };
}

/** The house's own cells by name; any other by looking. */
export type CallerPerCell = Record<"consumer" | "enterprise-a" | "eu", Caller> & Record<string, Caller>;

/** The partner that the local fleet gives a cell which has no other tenant. */
function sample(fleet: FleetState, cell: string): Caller {
  const tenant = sampleTenant(cell);
  return {
    host: hostOf(fleet, `${tenant}.proveniq.io`),
    authorization: `Bearer ${fleet.identity.keys[tenant]}`,
  };
}
