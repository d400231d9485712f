import { defaultDatabase, type Placement } from "@proveniq/contracts";
import { type Origin, retireTenant, TenantInUse } from "@proveniq/db/control";
import type { TenantConnections } from "../connections.ts";
import type { Fleet } from "../fleet/load.ts";
import { RefusedError } from "../refused.ts";

/**
 * Takes out a tenant without data: first its cell forgets it, then the registry, which remembers its epoch. A call that failed
 * half-way is made again; undefined when there is no such tenant any more. Routers hear of it with the next
 * `publishDirectory`, and its cell answers 421 until then. Throws `RefusedError`, and nothing has changed, for a tenant that has
 * items or open imports, or that fleet.json names.
 */
export async function removeTenant(
  { control, cell }: TenantConnections,
  { config, manifests }: Fleet,
  tenantId: string,
  origin: Origin,
  now: () => Date = () => new Date(),
): Promise<Placement | undefined> {
  const placement = await control.get(tenantId);
  if (placement === undefined) {
    if ((await control.removedEpoch(tenantId)) !== undefined) return undefined;
    throw new RefusedError(`there is no tenant "${tenantId}": see npx fleet tenants list`);
  }
  const named = [...Object.values(config.defaults), ...Object.keys(config.pinnedTenants)];
  if (named.some((each) => (typeof each === "string" ? each : each.tenant) === tenantId))
    throw new RefusedError(
      `tenant ${tenantId} is named in infra/fleet.json: change that and publish it first`,
    );
  const manifest = Object.hasOwn(manifests, placement.cellId) ? manifests[placement.cellId] : undefined;
  if (manifest === undefined) throw new RefusedError(`its cell ${placement.cellId} is not in infra/cells`);
  const { databaseId, epoch, cellId } = placement;
  const home = defaultDatabase(manifest);
  try {
    await retireTenant(cell(cellId), { tenantId, databaseId, defaultDatabase: home, epoch });
  } catch (error) {
    if (!(error instanceof TenantInUse)) throw error;
    throw new RefusedError(`tenant ${tenantId} was not removed: ${error.message}`);
  }
  await control.remove(placement, origin, now().toISOString());
  return placement;
}
