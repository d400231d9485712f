import { type DirectorySnapshot, directorySnapshot, type FleetConfig, faultsOf } from "@proveniq/contracts";
import type { RegistrySnapshot } from "@proveniq/db/control";
import type { Manifests } from "../fleet/load.ts";
import { RefusedError } from "../refused.ts";

/** Where each cell is reached, by cell id. */
export type Origins = Readonly<Record<string, { api: string; bulk: string }>>;

/** The origins that the manifests give: production's. */
export function originsOf(manifests: Manifests): Origins {
  return Object.fromEntries(Object.entries(manifests).map(([id, { origins }]) => [id, origins]));
}

/**
 * The directory that follows from the registry and the fleet. Pure. Throws when a placement names a cell that
 * does not exist or has another residency, a pinned tenant is elsewhere, or a host is taken twice: such a directory must not be published.
 */
export function buildSnapshot(
  registry: Pick<RegistrySnapshot, "version" | "placements">,
  config: Pick<FleetConfig, "hosts" | "defaults" | "pinnedTenants">,
  manifests: Manifests,
  origins: Origins,
  publishedAt: Date,
): DirectorySnapshot {
  const faults: string[] = [];
  const cells: DirectorySnapshot["topology"]["cells"] = {};
  for (const [id, { residency }] of Object.entries(manifests)) {
    const origin = origins[id];
    if (origin === undefined) faults.push(`cell ${id} has no origin`);
    else cells[id] = { residency, api: origin.api, bulk: origin.bulk };
  }
  const tenants: DirectorySnapshot["tenants"] = {};
  const tenantHosts: DirectorySnapshot["tenantHosts"] = {};
  for (const p of registry.placements.toSorted((a, b) => (a.tenantId < b.tenantId ? -1 : 1))) {
    const cell = manifests[p.cellId];
    if (cell !== undefined && cell.residency !== p.residency) {
      faults.push(
        `tenant ${p.tenantId} was promised "${p.residency}", but cell ${p.cellId} is "${cell.residency}"`,
      );
    }
    const pin = Object.hasOwn(config.pinnedTenants, p.tenantId)
      ? config.pinnedTenants[p.tenantId]
      : undefined;
    if (pin !== undefined && pin.cell !== p.cellId) {
      faults.push(
        `tenant ${p.tenantId} is placed in ${p.cellId}, and load balancers send it to ${pin.cell}: change pinnedTenants in infra/fleet.json and apply the edge first`,
      );
    }
    tenants[p.tenantId] = [p.cellId, p.epoch];
    for (const host of p.hosts) {
      if (tenantHosts[host] !== undefined) faults.push(`host ${host} is claimed by two tenants`);
      tenantHosts[host] = p.tenantId;
    }
  }
  const built = directorySnapshot.safeParse({
    version: registry.version,
    publishedAt: publishedAt.toISOString(),
    topology: { hosts: config.hosts, defaults: config.defaults, cells },
    tenants,
    tenantHosts,
  });
  if (!built.success) faults.push(...faultsOf(built.error).map((f) => `${f.path} ${f.message}`));
  if (faults.length > 0 || !built.success) {
    throw new RefusedError(
      `the directory would contradict itself, so nothing was published:\n  ${faults.join("\n  ")}`,
    );
  }
  return built.data;
}
