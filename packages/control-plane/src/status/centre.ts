import type { FleetConfig } from "@proveniq/contracts";
import { Registry } from "@proveniq/db/control";
import { DatabasePool } from "@proveniq/db/pool";
import type { PlacedTenants } from "./types.ts";

/** Who is placed where, as the registry says. */
export async function placedIn(registry: Registry): Promise<PlacedTenants> {
  const { version, placements } = await registry.snapshot();
  const tenants = placements.map(({ tenantId, cellId, epoch }) => [tenantId, { cellId, epoch }] as const);
  return { version, tenants: Object.fromEntries(tenants) };
}

/** The same of the cloud's registry, with the credentials of whoever asks. */
export async function placedInCloud({ central }: Pick<FleetConfig, "central">): Promise<PlacedTenants> {
  const { project, controlDatabase } = central;
  const pool = new DatabasePool({ projectId: project, allow: [controlDatabase], readOnly: true });
  try {
    return await placedIn(new Registry(pool, controlDatabase));
  } finally {
    void pool.close();
  }
}
