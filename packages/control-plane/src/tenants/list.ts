import type { Placement } from "@proveniq/contracts";
import type { Connections } from "../connections.ts";

/** Every tenant of the fleet, by id. */
export async function listTenants({ control }: Pick<Connections, "control">): Promise<Placement[]> {
  const { placements } = await control.snapshot();
  return placements.sort((a, b) => (a.tenantId < b.tenantId ? -1 : 1));
}
