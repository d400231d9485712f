import type { FleetConfig } from "@proveniq/contracts";

/**
 * The name by which this machine reaches a host of the fleet: `eu.proveniq.io` is `eu.proveniq.localhost`; a host outside the
 * zone gets `.localhost` behind it. Such names lead to this machine without any set-up.
 */
export function localHost(host: string, zone: string): string {
  if (host === "localhost" || host.endsWith(".localhost")) return host;
  const inZone = host === zone || host.endsWith(`.${zone}`);
  return inZone ? host.replace(/\.[a-z][a-z0-9-]*$/, ".localhost") : `${host}.localhost`;
}

/** The other way round: the name that clients use of a host that this machine reaches as `host`. */
export function clientHost(host: string, zone: string): string {
  const local = localHost(zone, zone);
  if (host === local || host.endsWith(`.${local}`)) return host.slice(0, -local.length) + zone;
  return host.replace(/\.localhost$/, "");
}

/** The fleet as one machine runs it: local names, plain `localhost` as a global host, and only the cells that run. */
export function localFleet(fleet: FleetConfig, running: readonly string[]): FleetConfig {
  const { global: worldwide, eu, us } = fleet.defaults;
  if (!running.includes(worldwide.cell)) {
    throw new Error(
      `The cell ${worldwide.cell} must run: people who name no tenant are sent there (infra/fleet.json, defaults). Add it to --cells.`,
    );
  }
  const runs = (target: typeof eu) => target !== undefined && running.includes(target.cell);
  const hosts = Object.entries(fleet.hosts).filter(
    ([, host]) => host.kind === "global" || runs(fleet.defaults[host.residency]),
  );
  return {
    ...fleet,
    hosts: {
      localhost: { kind: "global" },
      ...Object.fromEntries(hosts.map(([name, host]) => [localHost(name, fleet.zone), host])),
    },
    defaults: {
      global: worldwide,
      ...(eu !== undefined && runs(eu) ? { eu } : {}),
      ...(us !== undefined && runs(us) ? { us } : {}),
    },
  };
}

/** The tenant of people who name none, in a cell that is somebody's default. */
export function defaultTenantOf(fleet: FleetConfig, cell: string): string | undefined {
  return Object.values(fleet.defaults).find((target) => target?.cell === cell)?.tenant;
}

/** Which of the cells to run, in the order of `all`; all of them unless `wanted` names some. */
export function selectCells(all: readonly string[], wanted: readonly string[] | undefined): string[] {
  if (wanted === undefined) return [...all];
  const unknown = wanted.filter((id) => !all.includes(id));
  if (unknown.length > 0) {
    throw new Error(`There is no cell ${unknown.join(", ")}. Cells: ${all.join(", ")}.`);
  }
  return all.filter((id) => wanted.includes(id));
}
