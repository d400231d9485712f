import type { DirectorySnapshot } from "@proveniq/contracts";
import type { CellRoute, HostRule, HostTable } from "./types.ts";

/** Hosts and cells in the form that decisions read. Takes a checked topology. */
export function buildHostTable(
  source: Pick<DirectorySnapshot, "version" | "topology" | "tenantHosts">,
): HostTable {
  const { topology } = source;
  const cells = new Map<string, CellRoute>();
  for (const [id, cell] of Object.entries(topology.cells)) {
    const route = {
      id,
      residency: cell.residency,
      api: new URL(cell.api).origin,
      bulk: new URL(cell.bulk).origin,
    };
    cells.set(id, Object.freeze(route));
  }
  const hosts = new Map<string, HostRule>();
  for (const [name, host] of Object.entries(topology.hosts)) {
    const kind = host.kind === "global" ? "global" : host.residency;
    const target = topology.defaults[kind];
    const defaultCell = target === undefined ? undefined : cells.get(target.cell);
    if (target === undefined || defaultCell === undefined) {
      throw new Error(`topology: ${name} needs a default cell for "${kind}"`);
    }
    const rest = { defaultTenant: target.tenant, defaultCell };
    hosts.set(
      name,
      host.kind === "global"
        ? { kind: "global", ...rest }
        : { kind: "region", residency: host.residency, ...rest },
    );
  }
  for (const [name, tenantId] of Object.entries(source.tenantHosts))
    hosts.set(name, { kind: "tenant", tenantId });
  return { version: source.version, hosts, cells };
}
