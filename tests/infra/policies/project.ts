import { type CellManifest, type FleetConfig, isInside, type Location, location } from "@proveniq/contracts";
import { z } from "zod";
import { grant, type Policy, resources } from "./policy.ts";

const place = (text: string): Location | undefined => location.safeParse(text).data;

export interface ProjectContext {
  project: string;
  /** The strictest promise of what is in it. */
  residency: "eu" | "us" | "global";
  config: FleetConfig;
  cells: Readonly<Record<string, CellManifest>>;
}

/** Residencies whose front door is in a project. */
const doorsIn = ({ config, project }: ProjectContext) =>
  (["global", "eu", "us"] as const).filter(
    (r) => (r === "global" ? config.central.project : config.edges[r]) === project,
  );
const orgPolicy = z.object({
  constraint: z.string(),
  list_policy: z.tuple([
    z.object({
      allow: z.tuple([z.object({ all: z.boolean().nullish(), values: z.array(z.string()).nullish() })]),
    }),
  ]),
});

export const projectPolicies: Record<string, Policy<ProjectContext>> = {
  "where resources may be": (plan, { residency }) => {
    const allowed = resources(plan, "google_project_organization_policy", orgPolicy)
      .filter(({ values }) => values.constraint === "constraints/gcp.resourceLocations")
      .flatMap(({ values }) => values.list_policy[0].allow[0].values ?? []);
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

  // Functions of cells are called by everybody, which an organisation forbids by default. No other project may let anybody in.
  "who may call": (plan, { cells, project }) => {
    const open = resources(plan, "google_project_organization_policy", orgPolicy)
      .filter(({ values }) => values.constraint !== "constraints/gcp.resourceLocations")
      .map(
        ({ values }) =>
          `${values.constraint} ${values.list_policy[0].allow[0].all === true ? "all" : "some"}`,
      );
    const wanted = Object.values(cells).some((m) => m.project === project)
      ? ["constraints/iam.allowedPolicyMemberDomains all"]
      : [];
    return open.join() === wanted.join() ? [] : [`${project} is an exception to ${open.join() || "nothing"}`];
  },

  "who reads artefacts": (plan, { config, cells, project }) => {
    const right = z.object({ bucket: z.string(), role: z.string(), member: z.string() });
    const given = resources(plan, "google_storage_bucket_iam_member", right).map(({ values: v }) => v);
    if (!Object.values(cells).some((m) => m.project === project))
      return given.map((v) => `${v.member} does, and there is no cell here`);
    const agent = /^serviceAccount:service-\d+@gcf-admin-robot\.iam\.gserviceaccount\.com$/;
    const builds = `serviceAccount:function-builds@${project}.iam.gserviceaccount.com`;
    const needed = given.filter((v) => agent.test(v.member) || v.member === builds);
    return [
      ...(needed.length === 2 ? [] : ["functions could not be built"]),
      ...given
        .filter(
          (v) =>
            !needed.includes(v) ||
            v.role !== "roles/storage.objectViewer" ||
            v.bucket !== `${config.central.project}-artefacts`,
        )
        .map((v) => `${v.member} has ${v.role} on ${v.bucket}`),
    ];
  },

  "what builds may do": (plan, { project }) =>
    resources(plan, "google_project_iam_member", grant)
      .filter(
        ({ values: v }) =>
          v.member !== `serviceAccount:function-builds@${project}.iam.gserviceaccount.com` ||
          v.project !== project ||
          !["roles/artifactregistry.writer", "roles/logging.logWriter"].includes(v.role),
      )
      .map(({ values: v }) => `${v.member} has ${v.role} in ${v.project}`),

  "secrets stay in the residency": (plan, context) => {
    const schema = z.object({
      secret_id: z.string(),
      replication: z.array(
        z.object({
          user_managed: z.array(z.object({ replicas: z.array(z.object({ location: z.string() })) })),
        }),
      ),
    });
    const made = resources(plan, "google_secret_manager_secret", schema);
    return [
      ...doorsIn(context)
        .flatMap((r) => [`edge-config-${r}`, `fleet-proof-${r}`])
        .filter((name) => !made.some(({ values }) => values.secret_id === name))
        .map((name) => `${name} is missing`),
      ...made.flatMap(({ values: { secret_id, replication } }) => {
        const places = replication.flatMap((x) =>
          x.user_managed.flatMap((u) => u.replicas.map((l) => l.location)),
        );
        const inside = places.every((l) => {
          const at = place(l);
          return at !== undefined && isInside(at, context.residency);
        });
        return places.length > 0 && inside ? [] : [`${secret_id} is in ${places.join() || "any place"}`];
      }),
    ];
  },

  "who reads secrets": (plan, context) => {
    const { cells, config, project } = context;
    const right = z.object({ secret_id: z.string(), role: z.string(), member: z.string() });
    const account = (name: string, at: string) => `serviceAccount:${name}@${at}.iam.gserviceaccount.com`;
    const given = resources(plan, "google_secret_manager_secret_iam_member", right).map(
      ({ values: v }) => `${v.member} has ${v.role} on ${v.secret_id}`,
    );
    const reader = "roles/secretmanager.secretAccessor";
    const wanted = doorsIn(context).flatMap((r) => [
      `${account(`router-${r}`, project)} has ${reader} on edge-config-${r}`,
      `${account(`router-${r}`, project)} has ${reader} on fleet-proof-${r}`,
      ...Object.entries(cells)
        .filter(([, m]) => m.residency === r)
        .map(
          ([id]) => `${account(`deploy-${id}`, config.central.project)} has ${reader} on fleet-proof-${r}`,
        ),
    ]);
    return [
      ...given.filter((g) => !wanted.includes(g)),
      ...wanted.filter((w) => !given.includes(w)).map((w) => `nobody: ${w}`),
    ];
  },

  "images stay in the residency": (plan, context) => {
    const schema = z.object({
      location: z.string(),
      repository_id: z.string(),
      docker_config: z.array(z.object({ immutable_tags: z.boolean() })),
    });
    const made = resources(plan, "google_artifact_registry_repository", schema);
    return [
      ...(made.length === doorsIn(context).length ? [] : [`there are ${made.length} repositories`]),
      ...made
        .filter(({ values }) => {
          const at = place(values.location);
          return at === undefined || !isInside(at, context.residency);
        })
        .map(({ values }) => `${values.repository_id} is in ${values.location}`),
      ...made
        .filter(({ values }) => values.docker_config[0]?.immutable_tags !== true)
        .map(({ values }) => `a tag of ${values.repository_id} can be moved to other bytes`),
    ];
  },
};
