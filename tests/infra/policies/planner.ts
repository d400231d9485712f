import type { CellManifest, FleetConfig } from "@proveniq/contracts";
import { z } from "zod";
import type { Planned } from "../terraform.ts";
import { grant, type Policy, resources } from "./policy.ts";

export interface PlannerContext {
  config: FleetConfig;
  cells: Readonly<Record<string, Pick<CellManifest, "project">>>;
  repository: string;
}

/** Whether something is there for those who plan pull requests, or for the canaries of deploys; all else is deployers'. */
export function isPlanners({ address }: Pick<Planned, "address">): boolean {
  return /\.(planner|planner_pools|nightly|pull_requests|canary_key)(\[|$)/.test(address);
}

/** All that a planner may do: none of it changes anything, or reads a document, a row, an artefact or a secret. */
const looking = /\.(get|list|getIamPolicy|getMetadata)$/;
const reading =
  /^(datastore\.(entities|backups|userCreds|databases\.get$)|bigquery\.tables\.getData|secretmanager\.versions|storage\.objects|logging\.(logEntries|privateLogEntries|views))/;

const accountOf = (name: string, { config }: PlannerContext) =>
  `serviceAccount:${name}@${config.central.project}.iam.gserviceaccount.com`;

export const plannerPolicies: Record<string, Policy<PlannerContext>> = {
  "who may plan": (plan, { repository }) => {
    const provider = z.object({
      workload_identity_pool_provider_id: z.string(),
      attribute_condition: z.string().nullable(),
      attribute_mapping: z.record(z.string(), z.string()),
      oidc: z.tuple([z.object({ issuer_uri: z.string() })]),
    });
    const identity = z.object({ role: z.string(), member: z.string() });
    const wanted = `assertion.repository == '${repository}' && assertion.event_name == 'pull_request'`;
    // An environment of a pull request's token would make it the deployer of that environment.
    const mapped = { "google.subject": "assertion.sub", "attribute.planner": "assertion.repository" };
    const providers = resources(plan, "google_iam_workload_identity_pool_provider", provider);
    const members = resources(plan, "google_service_account_iam_member", identity);
    return [
      ...providers
        .filter(({ values: v }) => v.attribute_condition !== wanted)
        .map(({ values: v }) => `others than pull requests of ${repository}: ${v.attribute_condition}`),
      ...providers
        .filter(({ values: v }) => !sameRecord(v.attribute_mapping, mapped))
        .map(({ values: v }) => `a token proves ${JSON.stringify(v.attribute_mapping)}`),
      ...providers
        .filter(({ values: v }) => v.oidc[0].issuer_uri !== "https://token.actions.githubusercontent.com")
        .map(({ values: v }) => `tokens of ${v.oidc[0].issuer_uri}`),
      ...members
        .filter(
          ({ address, values: v }) =>
            v.role !== "roles/iam.workloadIdentityUser" ||
            !v.member.endsWith(
              address.includes(".nightly")
                ? `/attribute.environment/${repository}:planner`
                : `/attribute.planner/${repository}`,
            ),
        )
        .map(({ values: v }) => `${v.member} has ${v.role}`),
      ...(providers.length === 1 && members.length === 2 ? [] : ["there are not two ways to be it"]),
    ];
  },

  "a planner only looks": (plan, context) => {
    const { cells, config } = context;
    const role = z.object({ permissions: z.array(z.string()) });
    const right = z.object({ bucket: z.string(), role: z.string(), member: z.string() });
    const planner = accountOf("planner", context);
    const { project } = config.central;
    const projects = [project, ...Object.values(config.edges), ...Object.values(cells).map((m) => m.project)];
    return [
      ...resources(plan, "google_project_iam_custom_role", role).flatMap(({ address, values }) =>
        values.permissions
          .filter((p) => !looking.test(p) || reading.test(p))
          .map((p) => `${address} has ${p}`),
      ),
      ...resources(plan, "google_project_iam_member", grant)
        .filter(({ address }) => !address.includes("canary_key"))
        .filter(
          ({ values: v }) =>
            v.member !== planner ||
            !projects.includes(v.project) ||
            !["roles/iam.workloadIdentityPoolViewer", `projects/${v.project}/roles/planner`].includes(v.role),
        )
        .map(({ values: v }) => `${v.member} has ${v.role} in ${v.project}`),
      // Every state: none of them holds a secret (see commonPolicies).
      ...resources(plan, "google_storage_bucket_iam_member", right)
        .filter(
          ({ values: v }) =>
            v.member !== planner ||
            v.role !== "roles/storage.objectViewer" ||
            v.bucket !== `${project}-tfstate`,
        )
        .map(({ values: v }) => `${v.member} has ${v.role} on ${v.bucket}`),
    ];
  },

  "a canary's key is its deployer's": (plan, context) => {
    const given = resources(plan, "google_project_iam_member", grant)
      .filter(({ address }) => address.includes("canary_key"))
      .map(({ values: v }) => [v.member, v.project, v.role, v.condition[0]?.expression].join(" "));
    const wanted = Object.keys(context.cells).map((id) =>
      [
        accountOf(`deploy-${id}`, context),
        context.config.central.project,
        "roles/secretmanager.secretAccessor",
        `resource.name.extract("/secrets/canary-key-${id}/{rest}") != ""`,
      ].join(" "),
    );
    return [
      ...given.filter((g) => !wanted.includes(g)).map((g) => `${g} is granted`),
      ...wanted.filter((w) => !given.includes(w)).map((w) => `${w} is missing`),
    ];
  },
};

function sameRecord(a: Record<string, string>, b: Record<string, string>): boolean {
  return Object.keys(a).length === Object.keys(b).length && Object.keys(b).every((key) => a[key] === b[key]);
}
