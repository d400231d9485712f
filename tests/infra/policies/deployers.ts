import type { CellManifest, FleetConfig } from "@proveniq/contracts";
import { z } from "zod";
import { condition, grant, type Policy, resources } from "./policy.ts";

export interface BootstrapContext {
  config: FleetConfig;
  cells: Readonly<Record<string, CellManifest>>;
  repository: string;
}

const sharedDeployers = ["bootstrap", "edge", "central", "projects"];
const deployers = ({ cells }: BootstrapContext) => [...Object.keys(cells), ...sharedDeployers];
const memberOf = (deployer: string, { config }: BootstrapContext) =>
  `serviceAccount:deploy-${deployer}@${config.central.project}.iam.gserviceaccount.com`;

/** All that deployers may be: none of these roles reads a document, a row or a secret. */
const allowedRoles: Readonly<Record<string, RegExp>> = {
  cell: /^(cloudfunctions\.admin|cloudscheduler\.admin|compute\.(loadBalancer|security)Admin|firebaserules\.admin|iam\.(roleAdmin|serviceAccountAdmin|serviceAccountUser)|monitoring\.editor|resourcemanager\.projectIamAdmin|run\.admin)$/,
  edge: /^(certificatemanager\.editor|compute\.(loadBalancer|network|security)Admin|dns\.admin|iam\.serviceAccount(Admin|User)|run\.admin)$/,
  bootstrap: /^(iam\.(roleViewer|securityReviewer|workloadIdentityPoolViewer)|storage\.bucketViewer)$/,
  central: /^(bigquery\.metadataViewer|dns\.reader|iam\.securityReviewer)$/,
  projects:
    /^(iam\.securityReviewer|logging\.configWriter|orgpolicy\.policyViewer|serviceusage\.serviceUsageViewer)$/,
};

/** What makes databases and indexes, and takes no database away. */
const allowedPermissions =
  /^datastore\.(backupSchedules\.(create|get|list|update)|databases\.(create|get|getMetadata|list|update)|indexes\.(create|delete|get|list|update)|operations\.(get|list))$/;

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
    const projects = [config.central.project, ...Object.values(cells).map((m) => m.project)];
    const places = (deployer: string) => {
      if (cells[deployer] !== undefined) return [cells[deployer].project];
      return ["edge", "central"].includes(deployer) ? [config.central.project] : projects;
    };
    return [
      ...resources(plan, "google_project_iam_custom_role", role).flatMap(({ address, values }) =>
        values.permissions.filter((p) => !allowedPermissions.test(p)).map((p) => `${address} has ${p}`),
      ),
      ...resources(plan, "google_project_iam_member", grant).flatMap(({ values: v }) => {
        const deployer = deployers(context).find((d) => v.member === memberOf(d, context));
        if (deployer === undefined) return [`${v.member} is no deployer and has ${v.role}`];
        const kind = cells[deployer] === undefined ? deployer : "cell";
        const makesSchema = ["cell", "central"].includes(kind);
        const allowed =
          allowedRoles[kind]?.test(v.role.replace(/^roles\//, "")) === true ||
          (makesSchema && v.role === `projects/${v.project}/roles/databaseSchema`);
        return [
          ...(allowed ? [] : [`${v.member} has ${v.role}`]),
          ...(places(deployer).includes(v.project) ? [] : [`${v.member} has ${v.role} in ${v.project}`]),
        ];
      }),
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
          return `${memberOf(d, context)} roles/storage.objectUser ${bucket("tfstate")} resource.name.startsWith("projects/_/buckets/${bucket("tfstate")}/objects/${prefix}")`;
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
