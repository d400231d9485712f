import { cellManifest, type EnvironmentName, type FleetConfig, projectId } from "@proveniq/contracts";
import { RefusedError } from "../refused.ts";
import type { Fleet, Manifests } from "./load.ts";

type Staging = NonNullable<FleetConfig["environments"]["staging"]>;

/**
 * The fleet as an environment has it: the same cells under its names of projects and hosts. Pure. Throws `RefusedError` for
 * an environment that infra/fleet.json does not name.
 */
export function fleetIn(fleet: Fleet, name: EnvironmentName): Fleet {
  if (name === "production") return fleet;
  const { staging } = fleet.config.environments;
  if (staging === undefined) throw new RefusedError(`infra/fleet.json names no environment ${name}.`);
  return renamed(fleet, staging);
}

/** What makes the names of staging impossible; a sentence each. Pure. */
export function environmentFaults(config: FleetConfig, manifests: Manifests): string[] {
  const { staging } = config.environments;
  if (staging === undefined) return [];
  const inProduction = projectsOf({ config, manifests });
  const inStaging = renamed({ config, manifests }, staging);
  return [
    ...projectsOf(inStaging).flatMap((id) => {
      if (!projectId.safeParse(id).success)
        return [`fleet.json, environments.staging: "${id}" is no project id (6 to 30 characters)`];
      return inProduction.includes(id) ? [`fleet.json, environments.staging: ${id} is production's`] : [];
    }),
    ...Object.entries(inStaging.manifests).flatMap(([id, manifest]) => {
      const { origins } = cellManifest.shape;
      return origins.safeParse(manifest.origins).success
        ? []
        : [`fleet.json, environments.staging: the origins of cell ${id} are no URLs in it`];
    }),
  ];
}

function projectsOf({ config, manifests }: Fleet): string[] {
  const all = [
    config.central.project,
    ...Object.values(config.edges),
    ...Object.values(manifests).map((m) => m.project),
  ];
  return [...new Set(all.filter((id) => id !== undefined))];
}

function renamed({ config, manifests }: Fleet, { projectSuffix, zone }: Staging): Fleet {
  const project = (id: string) => `${id}${projectSuffix}`;
  const host = (name: string) =>
    name === config.zone || name.endsWith(`.${config.zone}`)
      ? name.slice(0, -config.zone.length) + zone
      : name;
  const origin = (url: string) => {
    const there = new URL(url);
    return `${there.protocol}//${host(there.hostname)}`;
  };
  return {
    config: {
      ...config,
      zone,
      environments: { production: {} },
      hosts: mapped(config.hosts, host, (kind) => kind),
      central: { ...config.central, project: project(config.central.project) },
      edges: mapped(config.edges, same, project),
      pinnedTenants: mapped(config.pinnedTenants, same, (pinned) => ({
        ...pinned,
        hosts: pinned.hosts.map(host),
      })),
      ownHosts: mapped(config.ownHosts, host, (residency) => residency),
    },
    manifests: mapped(manifests, same, (manifest) => ({
      ...manifest,
      project: project(manifest.project),
      origins: { api: origin(manifest.origins.api), bulk: origin(manifest.origins.bulk) },
      // Firebase signs people in by project; whoever else signs them in does so here too.
      issuers: manifest.issuers.map((each) =>
        each.audience === manifest.project && each.issuer.endsWith(`/${manifest.project}`)
          ? { ...each, audience: project(each.audience), issuer: `${each.issuer}${projectSuffix}` }
          : each,
      ),
    })),
  };
}

const same = (name: string) => name;

function mapped<V>(
  record: Readonly<Record<string, V>>,
  name: (name: string) => string,
  value: (value: V) => V,
): Record<string, V> {
  return Object.fromEntries(Object.entries(record).map(([key, each]) => [name(key), value(each)]));
}
