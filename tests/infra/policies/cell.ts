import { type CellManifest, type FleetConfig, isInside, location } from "@proveniq/contracts";
import { z } from "zod";
import { loadConfig } from "../../../apps/cell-api/src/config.ts";
import type { Planned } from "../terraform.ts";
import { databases, deletable, withoutBackups, withoutRecovery } from "./firestore.ts";
import { byAddress, grant, type Policy, resources } from "./policy.ts";

export interface CellContext {
  id: string;
  manifest: CellManifest;
  config: FleetConfig;
  /** What the code's queries are checked against. */
  indexes: Definitions;
  marketIndexes: Definitions;
}

export const definitions = z.object({
  indexes: z.array(
    z.object({
      collectionGroup: z.string(),
      queryScope: z.string(),
      fields: z.array(z.object({ fieldPath: z.string(), order: z.string() })),
    }),
  ),
  fieldOverrides: z.array(
    z.object({ collectionGroup: z.string(), fieldPath: z.string(), ttl: z.boolean().default(false) }),
  ),
});
export type Definitions = z.infer<typeof definitions>;

const cellFunction = z.object({
  name: z.string(),
  build_config: z.tuple([
    z.object({
      entry_point: z.string(),
      source: z.tuple([z.object({ storage_source: z.tuple([z.object({ object: z.string() })]) })]),
    }),
  ]),
  service_config: z.tuple([
    z.object({
      ingress_settings: z.string().nullable(),
      service_account_email: z.string().optional(),
      max_instance_count: z.number(),
      environment_variables: z.record(z.string(), z.string()),
    }),
  ]),
});
const index = z.object({
  database: z.string(),
  collection: z.string(),
  query_scope: z.string(),
  fields: z.array(z.object({ field_path: z.string(), order: z.string() })),
});
const field = z.object({
  database: z.string(),
  collection: z.string(),
  field: z.string(),
  ttl_config: z.array(z.unknown()),
});

const grants = (plan: readonly Planned[]) => resources(plan, "google_project_iam_member", grant);
const functions = (plan: readonly Planned[]) =>
  resources(plan, "google_cloudfunctions2_function", cellFunction);
const tenantsDatabases = ({ manifest }: CellContext) => manifest.databases.map((d) => d.id);

/** What Terraform's resources call a place, whatever they mean by it. */
const places = ["location", "location_id", "region"];

/** Rights on documents, and roles that contain them. */
const reachesData = (role: string) => /^roles\/(datastore\.|owner$|editor$|viewer$|firebase\.)/.test(role);

function same(name: string, planned: readonly string[], wanted: readonly string[]): string[] {
  return [
    ...wanted.filter((w) => !planned.includes(w)).map((w) => `${name} ${w} is missing`),
    ...planned.filter((p) => !wanted.includes(p)).map((p) => `${name} ${p} is not in the code's definitions`),
  ];
}

export const cellPolicies: Record<string, Policy<CellContext>> = {
  residency: (plan, { manifest: { residency } }) =>
    plan.flatMap(({ address, values }) =>
      places.flatMap((key) => {
        const place = values[key];
        if (typeof place !== "string") return [];
        const known = location.safeParse(place);
        return known.success && isInside(known.data, residency)
          ? []
          : [`${address} is in ${place}, outside "${residency}"`];
      }),
    ),

  "unconditional role": (plan) =>
    grants(plan)
      .filter(({ values }) => reachesData(values.role) && values.condition.length === 0)
      .map(
        ({ address, values }) => `${address} grants ${values.role} on every database of ${values.project}`,
      ),

  isolation: (plan, { manifest }) => {
    const own = [...manifest.databases, manifest.marketDatabase].map(
      (d) => `resource.name == "projects/${manifest.project}/databases/${d.id}"`,
    );
    return grants(plan)
      .filter(({ values }) => reachesData(values.role))
      .flatMap(({ address, values }) =>
        values.condition
          .filter(({ expression }) => !own.includes(expression))
          .map(({ expression }) => `${address} is not bound to one database of this cell: ${expression}`),
      );
  },

  "market values are read-only": (plan, { id, manifest }) =>
    grants(plan)
      .filter(({ values: { role, condition } }) =>
        condition.some(
          ({ expression }) =>
            expression.endsWith(`/databases/${manifest.marketDatabase.id}"`) &&
            role !== "roles/datastore.viewer",
        ),
      )
      .filter(({ values }) => !values.member.startsWith(`serviceAccount:${id}-replicate@`))
      .map(({ values }) => `${values.member} has ${values.role} on the replica`),

  "point in time recovery": withoutRecovery,

  "deletion protection": deletable,

  databases: (plan, { manifest }) =>
    same(
      "database",
      databases(plan).map(({ values }) => `${values.name} in ${values.location_id}`),
      [...manifest.databases, manifest.marketDatabase].map((d) => `${d.id} in ${d.location}`),
    ),

  backups: (plan, context) => withoutBackups(plan, tenantsDatabases(context), 2),

  rules: (plan) => {
    const schema = z.object({
      source: z.tuple([z.object({ files: z.array(z.object({ content: z.string() })) })]),
    });
    const open = resources(plan, "google_firebaserules_ruleset", schema).filter(({ values }) =>
      values.source[0].files.some((f) => /allow(?![^;]*: if false;)/.test(f.content)),
    );
    const released = plan.filter((r) => r.type === "google_firebaserules_release").length;
    return [
      ...open.map(({ address }) => `${address} lets clients in`),
      ...(released === databases(plan).length ? [] : ["a database has no release of the rules"]),
    ];
  },

  indexes: (plan, context) => {
    const name = (d: string, collection: string, scope: string, fields: readonly string[]) =>
      `${d}/${collection} ${scope} (${fields.join(", ")})`;
    return same(
      "index",
      resources(plan, "google_firestore_index", index).map(({ values: v }) =>
        name(
          v.database,
          v.collection,
          v.query_scope,
          v.fields.map((f) => `${f.field_path} ${f.order}`),
        ),
      ),
      tenantsDatabases(context).flatMap((d) =>
        context.indexes.indexes.map((i) =>
          name(
            d,
            i.collectionGroup,
            i.queryScope,
            i.fields.map((f) => `${f.fieldPath} ${f.order}`),
          ),
        ),
      ),
    );
  },

  exemptions: (plan, context) => {
    const wanted = (d: string, { fieldOverrides }: Definitions) =>
      fieldOverrides.map((f) => `${d}/${f.collectionGroup}.${f.fieldPath}${f.ttl ? " (TTL)" : ""}`);
    return same(
      "exemption",
      resources(plan, "google_firestore_field", field).map(
        ({ values: v }) =>
          `${v.database}/${v.collection}.${v.field}${v.ttl_config.length > 0 ? " (TTL)" : ""}`,
      ),
      [
        ...tenantsDatabases(context).flatMap((d) => wanted(d, context.indexes)),
        ...wanted(context.manifest.marketDatabase.id, context.marketIndexes),
      ],
    );
  },

  functions: (plan, { id, manifest }) =>
    functions(plan).flatMap(({ address, values }) => {
      const [{ entry_point, source }] = values.build_config;
      const [{ service_account_email, max_instance_count }] = values.service_config;
      const [{ storage_source }] = source;
      const limits: Record<string, number> = {
        api: manifest.capacity.apiInstances,
        bulk: manifest.capacity.bulkInstances,
        replicate: 1,
        sink: 1,
      };
      return [
        ...(values.name === `${id}-${entry_point}` ? [] : [`${address} is called ${values.name}`]),
        ...(service_account_email === `${id}-${entry_point}@${manifest.project}.iam.gserviceaccount.com`
          ? []
          : [`${address} runs as ${service_account_email ?? "the project's own identity"}`]),
        ...(max_instance_count === limits[entry_point]
          ? []
          : [`${address} may have ${max_instance_count} instances`]),
        ...(/^cells\/[0-9a-f]{64}\.zip$/.test(storage_source[0].object)
          ? []
          : [`${address} runs ${storage_source[0].object}, which is not named by its content`]),
      ];
    }),

  ingress: (plan) =>
    functions(plan).flatMap(({ values }) => {
      const [{ ingress_settings }] = values.service_config;
      const scheduled = /-(replicate|sink)$/.test(values.name);
      const wanted = scheduled ? "ALLOW_INTERNAL_ONLY" : "ALLOW_INTERNAL_AND_GCLB";
      return ingress_settings === wanted
        ? []
        : [`${values.name} has ingress ${ingress_settings ?? "ALLOW_ALL"}`];
    }),

  environment: (plan, { id }) =>
    functions(plan).flatMap(({ values }) => {
      try {
        const config = loadConfig(values.service_config[0].environment_variables);
        const complete = config.central !== undefined && config.analytics !== undefined;
        const traces =
          config.traces?.url === "https://traces.example/v1/traces" && config.traces.ratio === 0.01;
        if (!traces) return [`${values.name} does not send its traces where the plan says`];
        if (config.cellId === id && config.environment === "production" && complete) return [];
        return [`${values.name} does not know who it is, or where the centre is`];
      } catch (error) {
        return [`${values.name}: ${error instanceof Error ? error.message : String(error)}`];
      }
    }),

  scheduler: (plan, { id }) => {
    const schema = z.object({ name: z.string(), schedule: z.string() });
    const jobs = resources(plan, "google_cloud_scheduler_job", schema).map(
      ({ values }) => `${values.name} ${values.schedule}`,
    );
    return same("job", jobs, [`${id}-replicate * * * * *`, `${id}-sink * * * * *`]);
  },

  "only its own project": (plan, { manifest }) =>
    plan
      .filter(({ type, values }) => type.startsWith("google_") && typeof values["project"] === "string")
      .filter(({ values }) => values["project"] !== manifest.project)
      .map(
        ({ address, values }) =>
          `${address} is in ${String(values["project"])}, where a cell's deployer has no rights`,
      ),

  secrets: (plan, { id }) =>
    grants(plan)
      .filter(({ values }) => values.role.startsWith("roles/secretmanager."))
      .filter(
        ({ values }) =>
          values.condition[0]?.expression !==
            `resource.name.extract("/secrets/analytics-key-${id}-20{day}") != ""` ||
          !values.member.startsWith(`serviceAccount:${id}-sink@`),
      )
      .map(({ values }) => `${values.member} has ${values.role} on more than this cell's day keys`),

  "rate limit": (plan, { manifest }) =>
    byAddress(
      plan,
      [manifest.origins.api, manifest.origins.bulk].map((o) => new URL(o).host),
    ),

  "who may call": (plan, { id }) => {
    const right = z.object({ service: z.string(), role: z.string(), member: z.string() });
    return resources(plan, "google_cloud_run_service_iam_member", right)
      .filter(
        ({ values: v }) =>
          v.role !== "roles/run.invoker" ||
          (v.member === "allUsers" && ![`${id}-api`, `${id}-bulk`].includes(v.service)),
      )
      .map(({ values: v }) => `${v.member} has ${v.role} on ${v.service}`);
  },

  builds: (plan, { manifest: { project } }) => {
    const schema = z.object({
      name: z.string(),
      build_config: z.tuple([z.object({ service_account: z.string().nullish() })]),
    });
    const account = `projects/${project}/serviceAccounts/function-builds@${project}.iam.gserviceaccount.com`;
    return resources(plan, "google_cloudfunctions2_function", schema)
      .filter(({ values }) => values.build_config[0].service_account !== account)
      .map(({ values }) => `${values.name} is built by whatever the project came with`);
  },

  alerts: (plan, { config }) => {
    const schema = z.object({
      documentation: z.array(z.object({ content: z.string() })),
      notification_channels: z.union([z.array(z.unknown()), z.string()]).nullish(),
    });
    const channel = z.object({ labels: z.record(z.string(), z.string()) });
    const told = resources(plan, "google_monitoring_notification_channel", channel).map(
      ({ values }) => values.labels["email_address"],
    );
    const policies = resources(plan, "google_monitoring_alert_policy", schema);
    return [
      ...policies
        .filter(({ values }) => !values.documentation.some((d) => /\/[a-z-]+\.md$/.test(d.content)))
        .map(({ address }) => `${address} names no runbook`),
      ...policies
        // Known after the apply, or there: an empty list is neither.
        .filter(({ values }) => values.notification_channels?.length === 0)
        .map(({ address }) => `${address} tells nobody`),
      ...config.alerts.filter((a) => !told.includes(a)).map((a) => `${a} is not told`),
    ];
  },
};
