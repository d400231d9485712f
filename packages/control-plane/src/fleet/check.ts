import type { FleetConfig } from "@proveniq/contracts";
import { environmentFaults } from "./environments.ts";
import type { Manifests } from "./load.ts";

/** What fleet.json and the manifests say that cannot all be true; a sentence each, empty when they fit. Pure. */
export function checkFleet(config: FleetConfig, manifests: Manifests): string[] {
  return [
    ...defaultFaults(config, manifests),
    ...hostFaults(config, manifests),
    ...databaseFaults(config, manifests),
    ...pinnedFaults(config, manifests),
    ...environmentFaults(config, manifests),
  ];
}

function defaultFaults(config: FleetConfig, manifests: Manifests): string[] {
  return Object.entries(config.defaults).flatMap(([residency, target]) => {
    if (target === undefined) return [];
    const cell = manifests[target.cell];
    if (cell === undefined)
      return [`fleet.json: the default for "${residency}" is ${target.cell}, and there is no such cell`];
    if (cell.residency === residency) return [];
    return [
      `fleet.json: the default for "${residency}" is ${target.cell}, whose residency is "${cell.residency}": name a cell of "${residency}"`,
    ];
  });
}

/** A pinned tenant goes to a cell that there is, and a residency's own hosts to one that has a router. */
function pinnedFaults(config: FleetConfig, manifests: Manifests): string[] {
  const pinned = Object.entries(config.pinnedTenants).flatMap(([tenant, { cell }]) =>
    manifests[cell] === undefined
      ? [`fleet.json: ${tenant} is pinned to ${cell}, and there is no such cell`]
      : [],
  );
  const own = Object.entries(config.ownHosts).flatMap(([host, residency]) =>
    config.defaults[residency] === undefined
      ? [`fleet.json: ${host} is of "${residency}", which has no default cell and so no router`]
      : [],
  );
  return [...pinned, ...own];
}

/** Every origin's host belongs to one cell and one purpose, and is no host that clients call. */
function hostFaults(config: FleetConfig, manifests: Manifests): string[] {
  const owner = new Map(Object.keys(config.hosts).map((host) => [host, "fleet.json, hosts"]));
  const faults: string[] = [];
  for (const [id, manifest] of Object.entries(manifests)) {
    for (const purpose of ["api", "bulk"] as const) {
      const { host } = new URL(manifest.origins[purpose]);
      const other = owner.get(host);
      if (other !== undefined)
        faults.push(`cells/${id}/cell.json, origins.${purpose}: ${host} is also in ${other}`);
      else owner.set(host, `cells/${id}/cell.json, origins.${purpose}`);
    }
  }
  return faults;
}

/** Cells may share a project, never a database. */
function databaseFaults(config: FleetConfig, manifests: Manifests): string[] {
  const { project, ...central } = config.central;
  const owner = new Map<string, string>();
  const faults: string[] = [];
  for (const name of ["controlDatabase", "deployDatabase", "marketDatabase"] as const) {
    const other = owner.get(`${project}/${central[name]}`);
    if (other !== undefined) faults.push(`fleet.json: ${name} must differ from ${other}`);
    else owner.set(`${project}/${central[name]}`, `${name} of fleet.json`);
  }
  for (const [id, manifest] of Object.entries(manifests)) {
    for (const database of [...manifest.databases, manifest.marketDatabase]) {
      const name = `${manifest.project}/${database.id}`;
      const other = owner.get(name);
      if (other !== undefined)
        faults.push(`cells/${id}/cell.json: database ${name} also belongs to ${other}`);
      else owner.set(name, `cell ${id}`);
    }
  }
  return faults;
}
