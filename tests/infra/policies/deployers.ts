import type { CellManifest, FleetConfig } from "@proveniq/contracts";
import { z } from "zod";
import { condition, grant, type Policy, resources } from "./policy.ts";

export interface BootstrapContext {
  config: FleetConfig;
  cells: Readonly<Record<string, CellManifest>>;
  repository: string;
}

const deployers = ({ cells }: BootstrapContext) => [...Object.keys(cells), "edge"];
const memberOf = (deployer: string, { config }: BootstrapContext) =>
  `serviceAccount:deploy-${deployer}@${config.central.project}.iam.gserviceaccount.com`;

/** What would reach data, become somebody else, or take a database away: nobody who deploys has any of it. */
const forbidden = [
  /^datastore\.(entities|backups|userCreds|namespaces|statistics)\./,
  /^datastore\.databases\.(?!(create|getMetadata|update)$)/,
  /^datastore\.backupSchedules\.delete$/,
  /^bigquery\.|^storage\.|^secretmanager\./,
  /^iam\.serviceAccountKeys\.|^iam\.serviceAccounts\.(?!(actAs|create|delete|get|update)$)/,
  /^(?!(resourcemanager\.projects|run\.services)\.).*\.setIamPolicy$/,
  /^(resourcemanager\.projects\.(?!(get|getIamPolicy|setIamPolicy)$)|orgpolicy\.|serviceusage\.|billing\.)/,
];

/** `given` and `wanted` are the same lines. */
function exactly(given: readonly string[], wanted: readonly string[]): string[] {
  return [
    ...given.filter((g) => !wanted.includes(g)).map((g) => `${g} is granted`),
    ...wanted.filter((w) => !given.includes(w)).map((w) => `${w} is missing`),
  ];
}

export const bootstrapPolicies: Record<string, Policy<BootstrapContext>> = {
  "one deployer a cell": (plan, { cells }) => {
    const account = z.object({ account_id: z.string() });
    const made = resources(plan, "google_service_account", account).map(({ values }) => values.account_id);
    return Object.keys(cells)
      .filter((id) => !made.includes(`deploy-${id}`))
      .map((id) => `${id} has none`);
  },

  "what deployers may do": (plan, context) => {
    const { cells, config } = context;
    const role = z.object({ project: z.string(), role_id: z.string(), permissions: z.array(z.string()) });
    const central = config.central.project;
    const line = (deployer: string, project: string, id: string) =>
      `${memberOf(deployer, context)} has projects/${project}/roles/${id} in ${project}`;
    return [
      ...resources(plan, "google_project_iam_custom_role", role).flatMap(({ address, values }) =>
        values.permissions
          .filter((p) => forbidden.some((f) => f.test(p)))
          // Of all identities of a project, only its cells' deployer changes what others may do there.
          .concat(
            values.role_id === "cellDeployer"
              ? []
              : values.permissions.filter((p) => p.startsWith("resourcemanager.projects.set")),
          )
          .map((p) => `${address} has ${p}`),
      ),
      ...exactly(
        resources(plan, "google_project_iam_member", grant).map(
          ({ values: v }) => `${v.member} has ${v.role} in ${v.project}`,
        ),
        [
          ...Object.entries(cells).map(([id, m]) => line(id, m.project, "cellDeployer")),
          ...[central, ...Object.values(config.edges)].map((p) => line("edge", p, "edgeDeployer")),
          line("edge", central, "edgeRecords"),
        ],
      ),
    ];
  },

  "who may be a deployer": (plan, context) => {
    const { repository } = context;
    const provider = z.object({
      attribute_condition: z.string().nullable(),
      attribute_mapping: z.record(z.string(), z.string()),
      oidc: z.tuple([z.object({ issuer_uri: z.string() })]),
    });
    const identity = z.object({ service_account_id: z.string(), role: z.string(), member: z.string() });
    return [
      ...resources(plan, "google_iam_workload_identity_pool_provider", provider).flatMap(({ values: v }) => [
        ...(v.attribute_condition ===
        `assertion.repository == '${repository}' && assertion.ref == 'refs/heads/main'`
          ? []
          : [`others than ${repository} on main: ${v.attribute_condition ?? "anybody"}`]),
        ...(v.attribute_mapping["attribute.environment"] ===
          "assertion.repository + ':' + assertion.environment" &&
        v.oidc[0].issuer_uri === "https://token.actions.githubusercontent.com"
          ? []
          : [
              `an environment is what ${v.oidc[0].issuer_uri} says of ${JSON.stringify(v.attribute_mapping)}`,
            ]),
      ]),
      ...resources(plan, "google_service_account_iam_member", identity)
        .filter(({ values: v }) => {
          const deployer = /\/deploy-([a-z0-9-]+)@[^/]+$/.exec(v.service_account_id)?.[1];
          const binding = `/workloadIdentityPools/github/attribute.environment/${repository}:${deployer}`;
          return v.role !== "roles/iam.workloadIdentityUser" || !v.member.endsWith(binding);
        })
        .map(({ address, values }) => `${address} is not bound to its own environment: ${values.member}`),
    ];
  },

  "who reads and writes buckets": (plan, context) => {
    const { config, cells } = context;
    const right = z.object({ bucket: z.string(), role: z.string(), member: z.string(), condition });
    const bucket = (name: string) => `${config.central.project}-${name}`;
    return exactly(
      resources(plan, "google_storage_bucket_iam_member", right).map(({ values: v }) =>
        [v.member, v.role, v.bucket, ...v.condition.map((c) => c.expression)].join(" "),
      ),
      [
        ...deployers(context).map((d) => {
          // With the slash: "cells/eu" is also the beginning of "cells/eu-north".
          const prefix = `${cells[d] === undefined ? d : `cells/${d}`}/`;
          const named = `resource.name.startsWith("projects/_/buckets/${bucket("tfstate")}/objects/${prefix}")`;
          // A list names no object: without this, `terraform init` is refused.
          const listed = `api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("${prefix}")`;
          return `${memberOf(d, context)} roles/storage.objectUser ${bucket("tfstate")} ${named} || ${listed}`;
        }),
        ...Object.keys(cells).flatMap((id) =>
          ["Creator", "Viewer"].map(
            (what) => `${memberOf(id, context)} roles/storage.object${what} ${bucket("artefacts")}`,
          ),
        ),
      ],
    );
  },

  buckets: (plan) => {
    const bucket = z.object({
      name: z.string(),
      public_access_prevention: z.string().nullable(),
      uniform_bucket_level_access: z.boolean().nullable(),
      force_destroy: z.boolean().nullable(),
      versioning: z.array(z.object({ enabled: z.boolean() })),
    });
    return resources(plan, "google_storage_bucket", bucket).flatMap(({ values: v }) => [
      ...(v.public_access_prevention === "enforced" && v.uniform_bucket_level_access === true
        ? []
        : [`${v.name} can be made public`]),
      ...(v.versioning[0]?.enabled === true ? [] : [`${v.name} forgets what is overwritten`]),
      ...(v.force_destroy === false ? [] : [`${v.name} goes with all that is in it`]),
    ]);
  },
};
