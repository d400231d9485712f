import { type CellManifest, type FleetConfig, isInside, type Location, location } from "@proveniq/contracts";
import { z } from "zod";
import { doorOf } from "../fleet.ts";
import { databases, deletable, withoutBackups, withoutRecovery } from "./firestore.ts";
import { grant, type Policy, resources } from "./policy.ts";

export interface CentralContext {
  config: FleetConfig;
  cells: Readonly<Record<string, CellManifest>>;
  /** After how many days infra/warehouse.json lets rows of a raw table go, by its name. */
  rawDays: Readonly<Record<string, number | null>>;
  analysts: readonly string[];
}

const dataset = z.object({
  dataset_id: z.string(),
  location: z.string(),
  delete_contents_on_destroy: z.boolean().nullable(),
});
const place = (text: string): Location | undefined => location.safeParse(text).data;

export const centralPolicies: Record<string, Policy<CentralContext>> = {
  residency: (plan, { config }) => [
    ...databases(plan)
      .filter(({ values }) => values.location_id !== config.central.location)
      .map(
        ({ values }) =>
          `database ${values.name} is in ${values.location_id}, and fleet.json says ${config.central.location}`,
      ),
    ...resources(plan, "google_bigquery_dataset", dataset).flatMap(({ values }) => {
      const residency = (["eu", "us"] as const).find((r) => values.dataset_id === `raw_${r}`) ?? "global";
      const at = place(values.location);
      const declared = config.warehouse[residency];
      return at !== undefined && isInside(at, residency) && at === declared
        ? []
        : [`${values.dataset_id} is in ${values.location}, and fleet.json says ${declared}`];
    }),
  ],

  "point in time recovery": withoutRecovery,

  backups: (plan, { config: { central } }) =>
    withoutBackups(plan, [central.controlDatabase, central.deployDatabase, central.marketDatabase], 1),

  "deletion protection": (plan) => {
    const table = z.object({
      table_id: z.string(),
      deletion_protection: z.boolean().nullable(),
      view: z.array(z.unknown()),
    });
    return [
      ...deletable(plan),
      ...resources(plan, "google_bigquery_dataset", dataset)
        .filter(({ values }) => values.delete_contents_on_destroy !== false)
        .map(({ values }) => `dataset ${values.dataset_id} goes with all that is in it`),
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
    const proof = z.object({
      project: z.string(),
      secret_id: z.string(),
      role: z.string(),
      member: z.string(),
    });
    given.push(
      ...resources(plan, "google_secret_manager_secret_iam_member", proof).map(
        ({ values: v }) => `${v.member} ${v.role} projects/${v.project}/secrets/${v.secret_id}`,
      ),
    );
    const publishes = `serviceAccount:market-publisher@${project}.iam.gserviceaccount.com roles/datastore.user resource.name == "projects/${project}/databases/${marketDatabase}"`;
    const ofCells = Object.entries(cells).flatMap(([id, m]) => [
      ...["api", "bulk"].map(
        (s) =>
          `${member(id, s, m.project)} roles/secretmanager.secretAccessor projects/${doorOf({ config }, m.residency)}/secrets/fleet-proof-${m.residency}`,
      ),
      `${member(id, "sink", m.project)} projects/${project}/roles/warehouseAppender raw_${m.residency}`,
      `${member(id, "replicate", m.project)} roles/datastore.viewer resource.name == "projects/${project}/databases/${marketDatabase}"`,
      `serviceAccount:deploy-${id}@${project}.iam.gserviceaccount.com roles/datastore.user resource.name == "projects/${project}/databases/${deployDatabase}"`,
    ]);
    const wanted = [...ofCells, publishes];
    return [
      ...given.filter((g) => !wanted.includes(g)).map((g) => `${g} is granted`),
      ...wanted.filter((w) => !given.includes(w)).map((w) => `${w} is missing`),
    ];
  },

  "raw rows go": (plan, { rawDays }) => {
    const table = z.object({
      dataset_id: z.string(),
      table_id: z.string(),
      view: z.array(z.unknown()),
      time_partitioning: z.array(z.object({ expiration_ms: z.number().nullish() })),
    });
    return resources(plan, "google_bigquery_table", table)
      .filter(({ values }) => values.dataset_id.startsWith("raw_") && values.view.length === 0)
      .flatMap(({ address, values: { table_id, time_partitioning } }) => {
        const days = (time_partitioning[0]?.expiration_ms ?? 0) / 86_400_000;
        const wanted = rawDays[table_id] ?? undefined;
        return days === wanted
          ? []
          : [`${address} keeps rows for ${days || "ever"}, not for ${wanted ?? "a number of"} days`];
      });
  },

  "who sees the global view": (plan, { analysts }) => {
    const right = z.object({ dataset_id: z.string(), role: z.string(), member: z.string() });
    const everybody = plan.filter((r) => /\ball(Authenticated)?Users\b/.test(JSON.stringify(r.values)));
    return [
      ...everybody.map(({ address }) => `${address} lets everybody in`),
      ...resources(plan, "google_bigquery_dataset_iam_member", right)
        .filter(({ values }) => values.dataset_id === "published")
        .filter(({ values: v }) => !analysts.includes(v.member) || v.role !== "roles/bigquery.dataViewer")
        .map(({ values: v }) => `${v.member} has ${v.role}`),
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
