import { type FleetState, mintLocalToken } from "@proveniq/local-cloud/fleet";
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

/** One caller in each cell. */
export async function callerPerCell(
  fleet: FleetState,
): Promise<Record<"consumer" | "enterprise-a" | "eu", Caller>> {
  return {
    consumer: await consumer(fleet, "somebody"),
    "enterprise-a": partner(fleet, "carrier-a"),
    eu: partner(fleet, "atelier-nord"),
  };
}
