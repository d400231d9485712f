import type { CellManifest, Residency } from "@proveniq/contracts";
import type { Fleet } from "../fleet/load.ts";
import { type Evidence, line } from "./evidence.ts";
import { judgeIssuer } from "./identity.ts";

/** Logs are the project's: a project is as strict as its strictest cell. */
export function projectLines({ project, residency, region }: CellManifest, { manifests }: Fleet): Evidence[] {
  const strictest = (["eu", "us"] as const).find((r) =>
    Object.values(manifests).some((m) => m.project === project && m.residency === r),
  );
  const others = Object.values(manifests).filter((m) => m.project === project);
  const at = others.find((m) => m.residency === (strictest ?? residency))?.region ?? region;
  return [
    line(
      "logs",
      `of functions and databases: ${project}/proveniq`,
      at,
      "infra/terraform/modules/project/logs.tf",
      {
        root: "project",
        state: project,
        address: "module.project.google_logging_project_bucket_config.this",
      },
    ),
  ];
}

/** The front door writes down who called: its project keeps that in the residency. */
export function doorLogs({ residency }: CellManifest, { config, manifests }: Fleet): Evidence[] {
  const project = doorOf(residency, config);
  const region =
    residency === "global"
      ? manifests[config.defaults.global.cell]?.region
      : manifests[config.defaults[residency]?.cell ?? ""]?.region;
  if (project === undefined || region === undefined) return [];
  const declaredIn =
    residency === "global" ? "infra/fleet.json, central.project" : `infra/fleet.json, edges.${residency}`;
  return [
    line("logs", `of router and load balancer: ${project}/proveniq`, region, declaredIn, {
      root: "project",
      state: project,
      address: "module.project.google_logging_project_bucket_config.this",
    }),
  ];
}

export const doorOf = (residency: Residency, config: Fleet["config"]): string | undefined =>
  residency === "global" ? config.central.project : config.edges[residency];

/** What tells operators how a cell does. */
export function watchingLines({ residency }: CellManifest): Evidence[] {
  return [
    line(
      "traces",
      `none, or to a collector in "${residency}": a plan with another is refused`,
      null,
      "infra/terraform/modules/cell/variables.tf and modules/edge/variables.tf, traces",
    ),
    line(
      "metrics",
      "Cloud Monitoring",
      "global",
      "infra/terraform/modules/cell/watching.tf",
      null,
      null,
      "counts and times by cell, route and status: no tenant and no person is a label",
    ),
    line(
      "error reporting",
      "none: its API is on in no project",
      null,
      "infra/terraform/roots/project/main.tf",
    ),
  ];
}

/** Secrets of the front door, and the key by which deploys try a cell. */
export function secretLines(cell: string, manifest: CellManifest, { config, manifests }: Fleet): Evidence[] {
  const { residency, region } = manifest;
  const door = doorOf(residency, config);
  const primary = manifests[config.defaults[residency]?.cell ?? ""]?.region;
  const shared =
    door === undefined || primary === undefined
      ? []
      : ["edge-config", "fleet-proof"].map((name) =>
          line("secret", `${name}-${residency}`, primary, "infra/terraform/modules/residency/secrets.tf", {
            root: "project",
            state: door,
            address: `module.residency["${residency}"].google_secret_manager_secret.this["${name}"]`,
          }),
        );
  return [
    ...shared,
    line("canary", `canary-key-${cell}`, region, "infra/terraform/modules/central/cells.tf", {
      root: "central",
      state: "central",
      address: `module.central.google_secret_manager_secret.canary_key["${cell}"]`,
    }),
  ];
}

/** What runs: the same bytes everywhere. */
export function codeLines({ residency }: CellManifest, { config, manifests }: Fleet): Evidence[] {
  const primary = manifests[config.defaults[residency]?.cell ?? ""]?.region ?? null;
  const code = "code, the same for every cell: no data is in it";
  const { project, location } = config.central;
  return [
    line(
      "artefact",
      `${project}-artefacts, of functions`,
      location,
      "infra/terraform/modules/ci/buckets.tf",
      null,
      null,
      code,
    ),
    line(
      "artefact",
      `images of router-${residency}`,
      primary,
      "infra/terraform/modules/residency/router.tf",
      null,
      null,
      code,
    ),
  ];
}

/** Edge Config is one store for the whole world. */
export function directoryLine(): Evidence {
  return line(
    "directory",
    "Edge Config",
    "global",
    "packages/contracts/src/directory.ts",
    null,
    null,
    "ids of tenants and cells and hosts only: the schema refuses anything else",
  );
}

/** Who signs people in, and where that is processed. */
export function issuerLines(cell: string, manifest: CellManifest, today: string): Evidence[] {
  return manifest.issuers.map((issuer, n) => {
    const { breach, exemption } = judgeIssuer(issuer, manifest, today);
    const at = `infra/cells/${cell}/cell.json, issuers[${n}].jurisdiction`;
    const name = `${issuer.issuer}, processes in ${issuer.jurisdiction ?? "an unknown place"}`;
    return { ...line("issuer", name, null, at, null, breach), exemption };
  });
}

export function warehouseLines({ residency }: CellManifest, config: Fleet["config"]): Evidence[] {
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
    line(
      "warehouse",
      "published",
      config.warehouse.global,
      "infra/fleet.json, warehouse.global",
      of("published"),
      null,
      "sums with noise over many people (docs/analytics.md)",
    ),
  ];
}

export function identityLines(cell: string, manifest: CellManifest, databaseId: string): Evidence[] {
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
