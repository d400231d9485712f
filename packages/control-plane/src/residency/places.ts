import type { CellManifest, Placement } from "@proveniq/contracts";
import type { Fleet } from "../fleet/load.ts";
import { type Evidence, line } from "./evidence.ts";

export function registryLine({ residency, cellId, hosts }: Placement, manifest?: CellManifest): Evidence {
  const differs = manifest !== undefined && manifest.residency !== residency;
  return line(
    "registry",
    `cell ${cellId}${hosts.length > 0 ? `, hosts ${hosts.join(", ")}` : ""}`,
    null,
    "the registry's placement",
    null,
    differs
      ? `the registry promises "${residency}", and cell ${cellId} promises "${manifest.residency}"`
      : null,
  );
}

/** Hosts that admit it, the load balancer behind them, and the router. */
export function frontLines(
  placement: Placement,
  manifest: CellManifest,
  { config, manifests }: Fleet,
): Evidence[] {
  const { residency } = manifest;
  const target = config.defaults[residency];
  const primary = target === undefined ? undefined : manifests[target.cell]?.region;
  if (primary === undefined) {
    const breach = `no host serves "${residency}": fleet.json has no default cell for it`;
    return [line("host", residency, null, "infra/fleet.json, defaults", null, breach)];
  }
  const regional = residency !== "global";
  const edge = (address: string, region: string): Evidence["resource"] => ({
    root: "edge",
    state: residency,
    address: `module.edge["${region}"].${address}`,
  });
  const shared = Object.entries(config.hosts)
    .filter(([, h]) => (h.kind === "global" ? "global" : h.residency) === residency)
    .map(([host]) => line("host", host, regional ? primary : "global", `infra/fleet.json, hosts.${host}`));
  const own = placement.hosts.map((host) => {
    const pinned = Object.values(config.pinnedTenants).some((p) => p.hosts.includes(host));
    const declared = pinned ? residency : config.ownHosts[host];
    const where = pinned ? `pinnedTenants.${placement.tenantId}` : `ownHosts.${host}`;
    const breach =
      declared === residency ? null : `no load balancer of "${residency}" serves it: add it to ownHosts`;
    return line("host", host, regional ? primary : "global", `infra/fleet.json, ${where}`, null, breach);
  });
  const regions = regional ? [...new Set([primary, manifest.region])] : [primary];
  return [
    ...shared,
    ...own,
    ...regions.map((region) =>
      regional
        ? line(
            "load balancer",
            `edge-${residency}-${region}`,
            region,
            "infra/terraform/modules/edge/front.tf",
            edge("google_compute_forwarding_rule.this[0]", region),
          )
        : line("load balancer", "edge-global", "global", "infra/terraform/modules/edge/front.tf"),
    ),
    line(
      "router",
      `router-${residency}`,
      primary,
      `infra/fleet.json, defaults.${residency}.cell`,
      edge("google_cloud_run_v2_service.router[0]", primary),
    ),
  ];
}

export function cellLines(cell: string, manifest: CellManifest, databaseId: string): Evidence[] {
  const file = `infra/cells/${cell}/cell.json`;
  const of = (address: string): Evidence["resource"] => ({
    root: "cell",
    state: cell,
    address: `module.cell.${address}`,
  });
  const held = manifest.databases.findIndex((d) => d.id === databaseId);
  const [first] = manifest.databases;
  const kept = manifest.databases.flatMap((database, n) =>
    database.id === databaseId || database === first
      ? [
          line(
            "database",
            `${manifest.project}/${database.id}`,
            database.location,
            `${file}, databases[${n}].location`,
            of(`google_firestore_database.this["${database.id}"]`),
          ),
          line(
            "point in time recovery",
            `of ${database.id}, 7 days`,
            database.location,
            "infra/terraform/modules/cell/databases.tf",
            of(`google_firestore_database.this["${database.id}"]`),
          ),
          // Firestore keeps backups where the database is.
          line("backup", `of ${database.id}`, database.location, "infra/terraform/modules/cell/databases.tf"),
        ]
      : [],
  );
  const missing =
    held === -1
      ? [
          line(
            "database",
            databaseId,
            null,
            `${file}, databases`,
            null,
            `cell ${cell} has no database ${databaseId}`,
          ),
        ]
      : [];
  return [
    ...["api", "bulk", "replicate", "sink"].map((service) =>
      line(
        "function",
        `${cell}-${service}`,
        manifest.region,
        `${file}, region`,
        of(`google_cloudfunctions2_function.this["${service}"]`),
      ),
    ),
    ...missing,
    ...kept,
    line(
      "secret",
      `analytics-key-${cell}-<day>`,
      manifest.region,
      `${file}, region (made by the sink, user-managed replication)`,
    ),
  ];
}
