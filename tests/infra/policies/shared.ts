import { type CellManifest, type FleetConfig, isInside, type Location, location } from "@proveniq/contracts";
import { z } from "zod";
import { condition, grant, type Policy, resources } from "./policy.ts";

export interface CentralContext {
  config: FleetConfig;
  cells: Readonly<Record<string, CellManifest>>;
}

const dataset = z.object({ dataset_id: z.string(), location: z.string() });
const place = (text: string): Location | undefined => location.safeParse(text).data;

export const centralPolicies: Record<string, Policy<CentralContext>> = {
  residency: (plan, { config }) =>
    resources(plan, "google_bigquery_dataset", dataset).flatMap(({ values }) => {
      const residency = (["eu", "us"] as const).find((r) => values.dataset_id === `raw_${r}`) ?? "global";
      const at = place(values.location);
      const declared = config.warehouse[residency];
      return at !== undefined && isInside(at, residency) && at === declared
        ? []
        : [`${values.dataset_id} is in ${values.location}, and fleet.json says ${declared}`];
    }),

  "deletion protection": (plan) => {
    const database = z.object({ name: z.string(), delete_protection_state: z.string().nullable() });
    const table = z.object({
      table_id: z.string(),
      deletion_protection: z.boolean().nullable(),
      view: z.array(z.unknown()),
    });
    return [
      ...resources(plan, "google_firestore_database", database)
        .filter(({ values }) => values.delete_protection_state !== "DELETE_PROTECTION_ENABLED")
        .map(({ values }) => `database ${values.name} can be deleted`),
      ...resources(plan, "google_bigquery_table", table)
        .filter(({ values }) => values.view.length === 0 && values.deletion_protection !== true)
        .map(({ address }) => `${address} can be deleted`),
    ];
  },

  "what cells may do": (plan, { config, cells }) => {
    const { project, marketDatabase, deployDatabase } = config.central;
    const member = (id: string, service: string, at: string) =>
      `serviceAccount:${id}-${service}@${at}.iam.gserviceaccount.com`;
    const right = z.object({ dataset_id: z.string(), role: z.string(), member: z.string() });
    const given = [
      ...resources(plan, "google_bigquery_dataset_iam_member", right)
        .filter(({ values }) => values.dataset_id.startsWith("raw_"))
        .map(({ values: v }) => `${v.member} ${v.role} ${v.dataset_id}`),
      ...resources(plan, "google_project_iam_member", grant)
        .filter(({ values }) => !values.role.startsWith("roles/bigquery.jobUser"))
        .map(({ values: v }) => `${v.member} ${v.role} ${v.condition.map((c) => c.expression).join()}`),
    ];
    const wanted = Object.entries(cells).flatMap(([id, m]) => [
      `${member(id, "sink", m.project)} projects/${project}/roles/warehouseAppender raw_${m.residency}`,
      `${member(id, "replicate", m.project)} roles/datastore.viewer resource.name == "projects/${project}/databases/${marketDatabase}"`,
      `serviceAccount:deploy-${id}@${project}.iam.gserviceaccount.com roles/datastore.user resource.name == "projects/${project}/databases/${deployDatabase}"`,
    ]);
    return [
      ...given.filter((g) => !wanted.includes(g)).map((g) => `${g} is granted`),
      ...wanted.filter((w) => !given.includes(w)).map((w) => `${w} is missing`),
    ];
  },

  "who reads raw rows": (plan) => {
    const view = z.object({ dataset_id: z.string(), view: z.tuple([z.object({ table_id: z.string() })]) });
    return resources(plan, "google_bigquery_dataset_access", view)
      .filter(({ values }) => !values.view[0].table_id.startsWith("publishable_"))
      .map(({ values }) => `${values.view[0].table_id} reads ${values.dataset_id}`);
  },

  "appends only": (plan) => {
    const role = z.object({ role_id: z.string(), permissions: z.array(z.string()) });
    return resources(plan, "google_project_iam_custom_role", role)
      .filter(({ values }) => values.role_id === "warehouseAppender")
      .flatMap(({ values }) => values.permissions)
      .filter((p) => !["bigquery.tables.get", "bigquery.tables.updateData"].includes(p))
      .map((p) => `sinks of cells have ${p}`);
  },
};

export interface ProjectContext {
  residency: "eu" | "us" | "global";
}

export const projectPolicies: Record<string, Policy<ProjectContext>> = {
  "where resources may be": (plan, { residency }) => {
    const schema = z.object({
      constraint: z.string(),
      list_policy: z.tuple([z.object({ allow: z.tuple([z.object({ values: z.array(z.string()) })]) })]),
    });
    const allowed = resources(plan, "google_project_organization_policy", schema)
      .filter(({ values }) => values.constraint === "constraints/gcp.resourceLocations")
      .flatMap(({ values }) => values.list_policy[0].allow[0].values);
    if (residency === "global") return [];
    return allowed.join() === `in:${residency}-locations`
      ? []
      : [`"${residency}" allows ${allowed.join() || "everything"}`];
  },

  logs: (plan, { residency }) => {
    const bucket = z.object({ location: z.string(), retention_days: z.number(), bucket_id: z.string() });
    const buckets = resources(plan, "google_logging_project_bucket_config", bucket);
    const exclusion = z.object({ filter: z.string() });
    return [
      ...buckets.flatMap(({ address, values }) => {
        const at = place(values.location);
        return at !== undefined && isInside(at, residency) ? [] : [`${address} is in ${values.location}`];
      }),
      ...buckets
        .filter(({ values }) => values.retention_days < 30)
        .map(({ address }) => `${address} forgets too early`),
      ...(buckets.length === 1 && plan.some((r) => r.type === "google_logging_project_sink")
        ? []
        : ["logs have no bucket of their own"]),
      ...(resources(plan, "google_logging_project_exclusion", exclusion).some(
        (e) => e.values.filter === "severity >= DEFAULT",
      )
        ? []
        : ["logs are kept in the global bucket too"]),
    ];
  },
};

export interface BootstrapContext {
  config: FleetConfig;
  cells: readonly string[];
  repository: string;
}

export const bootstrapPolicies: Record<string, Policy<BootstrapContext>> = {
  "one deployer a cell": (plan, { cells }) => {
    const account = z.object({ account_id: z.string() });
    const made = resources(plan, "google_service_account", account).map(({ values }) => values.account_id);
    return cells.filter((id) => !made.includes(`deploy-${id}`)).map((id) => `${id} has none`);
  },

  "deployers read no data": (plan) => {
    const role = z.object({ permissions: z.array(z.string()) });
    return [
      ...resources(plan, "google_project_iam_custom_role", role).flatMap(({ address, values }) =>
        values.permissions
          .filter((p) => p.startsWith("datastore.entities") || /\.(getIamPolicy|setIamPolicy)$/.test(p))
          .map((p) => `${address} has ${p}`),
      ),
      ...resources(plan, "google_project_iam_member", grant)
        .filter(({ values }) =>
          /^roles\/(datastore|owner$|editor$|viewer$|bigquery\.(?!metadataViewer)|secretmanager)/.test(
            values.role,
          ),
        )
        .map(({ values }) => `${values.member} has ${values.role}`),
    ];
  },

  "who may be a deployer": (plan, { repository }) => {
    const provider = z.object({ attribute_condition: z.string().nullable() });
    const member = z.object({ member: z.string() });
    return [
      ...resources(plan, "google_iam_workload_identity_pool_provider", provider)
        .filter(
          ({ values }) =>
            values.attribute_condition !==
            `assertion.repository == '${repository}' && assertion.ref == 'refs/heads/main'`,
        )
        .map(({ values }) => `others than ${repository} on main: ${values.attribute_condition ?? "anybody"}`),
      ...resources(plan, "google_service_account_iam_member", member)
        .filter(({ values }) => !values.member.includes(`/attribute.environment/${repository}:`))
        .map(({ address }) => `${address} is not bound to one environment`),
    ];
  },

  buckets: (plan) => {
    const bucket = z.object({
      name: z.string(),
      public_access_prevention: z.string().nullable(),
      versioning: z.array(z.object({ enabled: z.boolean() })),
    });
    const member = z.object({ role: z.string(), member: z.string(), condition });
    return [
      ...resources(plan, "google_storage_bucket", bucket)
        .filter(
          ({ values: v }) => v.public_access_prevention !== "enforced" || v.versioning[0]?.enabled !== true,
        )
        .map(({ values }) => `${values.name} can be made public, or forgets`),
      ...resources(plan, "google_storage_bucket_iam_member", member)
        .filter(({ values }) => values.role === "roles/storage.objectUser" && values.condition.length === 0)
        .map(({ values }) => `${values.member} may write every cell's state`),
    ];
  },
};
