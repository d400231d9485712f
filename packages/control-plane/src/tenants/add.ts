import { defaultDatabase, faultsOf, hostname, type Placement, tenantId } from "@proveniq/contracts";
import { establishTenant, type Origin } from "@proveniq/db/control";
import { z } from "zod";
import type { TenantConnections } from "../connections.ts";
import { knownCell } from "../fleet/known-cell.ts";
import type { Fleet } from "../fleet/load.ts";
import { RefusedError } from "../refused.ts";

const request = z.strictObject({
  tenantId,
  name: z.string().min(1).max(120),
  cellId: z.string(),
  databaseId: z.string().optional(),
  hosts: z.array(hostname).max(20).default([]),
  claimCopies: z.int().min(1).max(64).default(1),
});

/** A new tenant. Without `databaseId` it goes to its cell's default database. */
export type AddTenant = z.input<typeof request>;

export interface AddedTenant {
  placement: Placement;
  /** False when it was there already and this call only made sure of it. */
  added: boolean;
  /** What somebody should see to, such as a directory that is nearly full. */
  warning?: string;
}

export interface AddingTenant {
  now?: () => Date;
  /** Asked before anything is written: rejects when there is no room for one tenant more, resolves with a warning. */
  room?: (placement: Placement) => Promise<string | undefined>;
}

/**
 * Adds a tenant to a cell: registry and audit first, then claim and locator in the cell. Each step does nothing
 * when it is done already, so a call that failed half-way is simply made again. One that was removed comes back with a greater
 * epoch. Routers see the tenant with the
 * next `publishDirectory`. Throws `RefusedError` for what the fleet does not allow.
 */
export async function addTenant(
  connections: TenantConnections,
  fleet: Pick<Fleet, "manifests"> & { config: Pick<Fleet["config"], "hosts"> },
  wanted: AddTenant,
  origin: Origin,
  { now = () => new Date(), room = async () => undefined }: AddingTenant = {},
): Promise<AddedTenant> {
  const { claimCopies, home, ...place } = check(fleet, wanted);
  const at = now().toISOString();
  const gone = await connections.control.removedEpoch(place.tenantId);
  const present = gone === undefined ? await connections.control.get(place.tenantId) : undefined;
  const epoch = present?.epoch ?? (gone ?? 0) + 1;
  const placement = { ...place, epoch, createdAt: at, updatedAt: at };
  const warning = await room(placement);
  const recorded = await connections.control.add(placement, origin);
  await establishTenant(connections.cell(place.cellId), {
    tenantId: place.tenantId,
    databaseId: place.databaseId,
    defaultDatabase: home,
    epoch,
    copies: claimCopies,
  });
  return { ...recorded, ...(warning === undefined ? {} : { warning }) };
}

function check(fleet: Parameters<typeof addTenant>[1], wanted: AddTenant) {
  const parsed = request.safeParse(wanted);
  if (!parsed.success) {
    const lines = faultsOf(parsed.error).map((f) => `${f.path.slice(1) || "tenant"} ${f.message}`);
    throw new RefusedError(lines.join("; "));
  }
  const { cellId, hosts, databaseId, ...rest } = parsed.data;
  const cell = knownCell(fleet.manifests, cellId);
  const home = defaultDatabase(cell);
  const allowed = cell.databases.map((d) => d.id);
  if (databaseId !== undefined && !allowed.includes(databaseId)) {
    throw new RefusedError(
      `cell ${cellId} has no tenants' database "${databaseId}"; it has ${allowed.join(", ")}`,
    );
  }
  for (const [n, host] of hosts.entries()) {
    if (hosts.indexOf(host) !== n) throw new RefusedError(`host ${host} is named twice`);
    if (Object.hasOwn(fleet.config.hosts, host)) {
      throw new RefusedError(`${host} is a host of the whole fleet; a tenant needs one of its own`);
    }
  }
  return { ...rest, cellId, hosts, home, databaseId: databaseId ?? home, residency: cell.residency };
}
