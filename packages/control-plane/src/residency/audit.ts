import {
  type CellManifest,
  isInside,
  type Location,
  type Placement,
  type Residency,
} from "@proveniq/contracts";
import type { Fleet } from "../fleet/load.ts";

/** One place that a tenant's data is in or passes, and where that is laid down. */
export interface Evidence {
  what:
    | "registry"
    | "host"
    | "load balancer"
    | "router"
    | "function"
    | "database"
    | "backup"
    | "logs"
    | "secret"
    | "warehouse"
    | "identity";
  name: string;
  /** A location of Google Cloud's, `global`, or null where nothing is kept. */
  location: Location | "global" | null;
  /** File and key of the repository that say so. */
  declaredIn: string;
  /** Address of the resource in the plan of `root`, which its location can be read from; null where there is none. */
  resource: { root: "cell" | "edge" | "project" | "central"; state: string; address: string } | null;
  /** Why this breaks the promise; null when it keeps it. */
  breach: string | null;
}

export interface ResidencyAudit {
  tenantId: string;
  residency: Residency;
  cell: string;
  evidence: Evidence[];
}

/**
 * Where everything of one tenant is, as the registry and the repository declare it: not what was observed in a cloud. A test
 * holds each line to the plan that Terraform makes of the same files. Pure.
 */
export function auditResidency(placement: Placement, { config, manifests }: Fleet): ResidencyAudit {
  const { tenantId, residency, cellId: cell, databaseId } = placement;
  const manifest = Object.hasOwn(manifests, cell) ? manifests[cell] : undefined;
  const audit = { tenantId, residency, cell };
  if (manifest === undefined) {
    const breach = `the registry places it in ${cell}, and there is no such cell`;
    return { ...audit, evidence: [{ ...registryLine(placement), breach }] };
  }
  const evidence = [
    registryLine(placement, manifest),
    ...frontLines(placement, manifest, { config, manifests }),
    ...cellLines(cell, manifest, databaseId),
    ...projectLines(manifest, { config, manifests }),
    ...doorLogs(manifest, { config, manifests }),
    ...warehouseLines(manifest, config),
    ...identityLines(cell, manifest, databaseId),
  ];
  return {
    ...audit,
    evidence: evidence.map((line) => ({ ...line, breach: line.breach ?? outside(line, residency) })),
  };
}

/** Bound to a residency, data must not be, or pass, outside of it. */
function outside({ what, name, location }: Evidence, residency: Residency): string | null {
  if (residency === "global" || location === null) return null;
  if (what === "warehouse" && name === "published") return null;
  if (location === "global") return `it is global, and the promise is "${residency}"`;
  return isInside(location, residency) ? null : `${location} is outside "${residency}"`;
}

type Line = Omit<Evidence, "breach"> & { breach: string | null };
const line = (
  what: Evidence["what"],
  name: string,
  location: Evidence["location"],
  declaredIn: string,
  resource: Evidence["resource"] = null,
  breach: string | null = null,
): Line => ({ what, name, location, declaredIn, resource, breach });

function registryLine({ residency, cellId, hosts }: Placement, manifest?: CellManifest): Line {
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
function frontLines(placement: Placement, manifest: CellManifest, { config, manifests }: Fleet): Line[] {
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

function cellLines(cell: string, manifest: CellManifest, databaseId: string): Line[] {
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

/** Logs are the project's: a project is as strict as its strictest cell. */
function projectLines({ project, residency, region }: CellManifest, { manifests }: Fleet): Line[] {
  const strictest = (["eu", "us"] as const).find((r) =>
    Object.values(manifests).some((m) => m.project === project && m.residency === r),
  );
  const others = Object.values(manifests).filter((m) => m.project === project);
  const at = others.find((m) => m.residency === (strictest ?? residency))?.region ?? region;
  return [
    line("logs", `${project}/proveniq`, at, "infra/terraform/modules/project/logs.tf", {
      root: "project",
      state: project,
      address: "module.project.google_logging_project_bucket_config.this",
    }),
  ];
}

/** The front door writes down who called: its project keeps that in the residency. */
function doorLogs({ residency }: CellManifest, { config, manifests }: Fleet): Line[] {
  const project = residency === "global" ? undefined : config.edges[residency];
  const region = manifests[config.defaults[residency]?.cell ?? ""]?.region;
  if (project === undefined || region === undefined) return [];
  return [
    line("logs", `${project}/proveniq`, region, `infra/fleet.json, edges.${residency}`, {
      root: "project",
      state: project,
      address: "module.project.google_logging_project_bucket_config.this",
    }),
  ];
}

function warehouseLines({ residency }: CellManifest, config: Fleet["config"]): Line[] {
  const of = (id: string): Evidence["resource"] => ({
    root: "central",
    state: "central",
    address: `module.central.google_bigquery_dataset.this["${id}"]`,
  });
  return [
    line(
      "warehouse",
      `raw_${residency}`,
      config.warehouse[residency],
      `infra/fleet.json, warehouse.${residency}`,
      of(`raw_${residency}`),
    ),
    // Groups of more than 20 people that are not mostly one tenant's: nobody's data.
    line(
      "warehouse",
      "published",
      config.warehouse.global,
      "infra/fleet.json, warehouse.global",
      of("published"),
    ),
  ];
}

function identityLines(cell: string, manifest: CellManifest, databaseId: string): Line[] {
  return ["api", "bulk", "sink"].map((service) =>
    line(
      "identity",
      `${cell}-${service}@${manifest.project}`,
      null,
      "infra/terraform/modules/cell/identities.tf",
      {
        root: "cell",
        state: cell,
        address: `module.cell.google_project_iam_member.database["${service} writes ${databaseId}"]`,
      },
    ),
  );
}
