import { resolveNs } from "node:dns/promises";
import type { CloudAccount, Residency } from "@proveniq/contracts";
import { residency } from "@proveniq/contracts";
import { z } from "zod";
import type { Packed } from "../artefact/index.ts";
import type { Fleet } from "../fleet/load.ts";
import { RefusedError } from "../refused.ts";
import type { Google } from "./google.ts";
import { apisStep, billingStep, budgetsStep, networkStep, projectStep, projectsOf } from "./projects.ts";
import { artefactStep, directoryStep, imageDigest, imageStep, proofStep } from "./secrets.ts";
import type { State, States } from "./states.ts";
import type { Step } from "./steps.ts";

/** What is brought up, besides the fleet itself: what runs in it. */
export interface CloudInputs {
  /** Made when it is needed: what serves already is not replaced. */
  packed: () => Promise<Packed>;
  /** Folder that `npm run images` wrote. */
  images: string;
}

export interface BringUp extends CloudInputs {
  fleet: Fleet;
  account: CloudAccount;
  google: Google;
  states: States;
}

/** The residencies that a fleet has front doors for. */
export const residenciesOf = ({ config, manifests }: Fleet): Residency[] =>
  residency.options.filter(
    (r) => config.defaults[r] !== undefined && Object.values(manifests).some((m) => m.residency === r),
  );

/** Where a residency's front door is: its project and region. */
export function doorOf({ config, manifests }: Fleet, of: Residency): { project: string; region: string } {
  const project = of === "global" ? config.central.project : config.edges[of];
  const region = manifests[config.defaults[of]?.cell ?? ""]?.region;
  if (project === undefined || region === undefined)
    throw new RefusedError(`infra/fleet.json names no front door of ${of}.`);
  return { project, region };
}

const imageOf = ({ project, region }: { project: string; region: string }, name: string) =>
  `${region}-docker.pkg.dev/${project}/router/${name}`;
const artefact = z.object({
  outputs: z.object({
    artefact: z.object({ value: z.object({ digest: z.string(), object: z.string(), commit: z.string() }) }),
  }),
});

/** Every step from an organisation to front doors, in waves: what is in one waits for none of it. */
export function stepsOf(all: BringUp): Step[][] {
  const { fleet, account, google } = all;
  const { config, manifests } = fleet;
  const central = config.central.project;
  const projects = projectsOf(fleet);
  const residencies = residenciesOf(fleet);
  const deployers = [...Object.keys(manifests).map((id) => `deploy-${id}`), "planner"];
  const members = deployers.map((name) => `serviceAccount:${name}@${central}.iam.gserviceaccount.com`);
  const doors = residencies.map((r) => [r, doorOf(fleet, r)] as const);
  const images = [
    ...doors.map(([, door]) => imageOf(door, "router")),
    imageOf(doorOf(fleet, "global"), "publisher"),
  ];
  const shared = Object.values(manifests).flatMap((m) => {
    const door = config.edges[m.residency as "eu" | "us"];
    return door === undefined || door === m.project ? [] : [[door, m.project] as const];
  });
  const networks = new Map(shared.map(([door, project]) => [project, door]));
  return [
    [credentialsStep(google)],
    projects.map((p) => projectStep(google, account, p)),
    projects.map((p) => billingStep(google, account, p)),
    projects.map((p) => apisStep(google, p, p === central)),
    [bucketStep(google, central, config.warehouse.global)],
    [bootstrapStep(all)],
    [
      ...projects.map((project) =>
        stateStep(all, `state of project ${project}`, async () => ({
          root: "project",
          prefix: `projects/${project}`,
          variables: { project, operators: account.operators },
        })),
      ),
      artefactStep(google, central, all.packed),
      budgetsStep(google, account, members),
    ],
    [
      ...images.map((image) => imageStep(google, image, all.images)),
      ...doors.flatMap(([r, { project }]) => [
        proofStep(google, r, project),
        directoryStep(google, r, project),
      ]),
      ...[...networks].map(([project, door]) => networkStep(google, door, project)),
    ],
    Object.keys(manifests).map((id) => accountsStep(all, id)),
    [stateStep(all, "state of the centre", () => centre(all))],
    [
      ...Object.keys(manifests).map((id) => stateStep(all, `state of cell ${id}`, () => cell(all, id, true))),
      ...residencies.map((r) => stateStep(all, `state of front door ${r}`, () => edge(all, r))),
    ],
    [delegationStep(google, central, config.zone)],
  ];
}

/** The states in the order in which they are taken away. */
export async function statesToDestroy(all: BringUp): Promise<State[]> {
  const { fleet, account } = all;
  const projects = projectsOf(fleet).map(
    (project): State => ({
      root: "project",
      prefix: `projects/${project}`,
      variables: { project, operators: account.operators },
    }),
  );
  return [
    ...(await Promise.all(residenciesOf(fleet).map((r) => edge(all, r)))),
    ...(await Promise.all(Object.keys(fleet.manifests).map((id) => cell(all, id, true)))),
    await centre(all),
    ...projects,
  ];
}

function credentialsStep(google: Google): Step {
  return {
    name: "credentials",
    done: async () => (await google.token()) !== "",
    mend: "gcloud auth application-default login",
  };
}

const bucketOf = (central: string) => `${central}-tfstate`;

/** Made before Terraform's first run, which then takes it over: every state has its place from the beginning. */
function bucketStep(google: Google, central: string, location: string): Step {
  const name = bucketOf(central);
  const anything = z.looseObject({});
  return {
    name: "state bucket",
    done: async () => (await google.find("storage", `b/${name}`, anything)) !== undefined,
    work: async () => {
      await google.ask("storage", "POST", `b?project=${central}`, anything, {
        name,
        location,
        iamConfiguration: {
          uniformBucketLevelAccess: { enabled: true },
          publicAccessPrevention: "enforced",
        },
        versioning: { enabled: true },
      });
    },
    mend: `gcloud storage buckets create gs://${name} --project=${central} --location=${location} --uniform-bucket-level-access`,
  };
}

const glanceAt = (google: Google, central: string, prefix: string) => async () => {
  const name = encodeURIComponent(`${prefix}/default.tfstate`);
  const path = `b/${bucketOf(central)}/o/${name}`;
  return (await google.find("storage", path, z.looseObject({}))) !== undefined;
};

function bootstrapStep({ fleet, account, google, states }: BringUp): Step {
  const central = fleet.config.central.project;
  const { repository } = account;
  const state: State = { root: "bootstrap", prefix: "bootstrap", variables: { repository } };
  const bucket = bucketOf(central);
  return {
    name: "state of bootstrap",
    done: async () => (await states.text(state)).includes(`"${bucket}"`) && states.isApplied(state),
    glance: glanceAt(google, central, "bootstrap"),
    work: async (say) => {
      await states.adopt(state, 'module.ci.google_storage_bucket.this["tfstate"]', bucket);
      if (!(await states.isApplied(state))) {
        say("applying");
        await states.apply(state);
      }
    },
    mend: "npx fleet cloud bootstrap",
  };
}

function stateStep({ fleet, google, states }: BringUp, name: string, stateOf: () => Promise<State>): Step {
  let planned: State | undefined;
  return {
    name,
    done: async () => {
      planned = await stateOf();
      return states.isApplied(planned);
    },
    glance: async () => glanceAt(google, fleet.config.central.project, (await stateOf()).prefix)(),
    work: async (say) => {
      if (planned === undefined) throw new Error(`${name} was not planned`);
      say("applying");
      await states.apply(planned);
    },
    mend: "npx fleet cloud bootstrap",
  };
}

/** A cell before it may read the proof: its accounts are made by this, and the centre lets them read it. */
function accountsStep(all: BringUp, id: string): Step {
  const step = stateStep(all, `accounts of cell ${id}`, () => cell(all, id, false));
  const { done } = step;
  const isBeyond = async () =>
    (await all.states.text({ root: "cell", prefix: `cells/${id}`, variables: {} })).includes('"fleet-proof-');
  return { ...step, done: async () => (await isBeyond()) || done() };
}

/** What a cell serves stays: a deploy alone brings another version, by its own care. */
async function cell({ account, states, packed }: BringUp, id: string, proof: boolean): Promise<State> {
  const state: State = { root: "cell", prefix: `cells/${id}`, variables: {} };
  const text = await states.text(state);
  const known = artefact.safeParse(text.trim() === "" ? {} : parseState(text)).data?.outputs.artefact.value;
  const next = async () => {
    const { digest, zipSha256, commit } = await packed();
    return { digest, object: `cells/${zipSha256}.zip`, commit };
  };
  const { digest, object, commit } = known ?? (await next());
  const variables = {
    cell_id: id,
    artefact_digest: digest,
    artefact_object: object,
    git_commit: commit,
    billing_account: account.billingAccount,
    ...(proof ? {} : { proof: false }),
  };
  return { ...state, variables };
}

async function edge(all: BringUp, of: Residency): Promise<State> {
  const state: State = { root: "edge", prefix: `edge/${of}`, variables: {} };
  const router_image = await keptImage(all, state, imageOf(doorOf(all.fleet, of), "router"));
  return { ...state, variables: { residency: of, router_image } };
}

async function centre(all: BringUp): Promise<State> {
  const state: State = { root: "central", prefix: "central", variables: {} };
  const publisher_image = await keptImage(all, state, imageOf(doorOf(all.fleet, "global"), "publisher"));
  return { ...state, variables: { publisher_image, records: all.account.records } };
}

/** What a state runs already, else what was built. */
async function keptImage({ states, images }: BringUp, state: State, image: string): Promise<string> {
  const [, , , name = ""] = image.split("/");
  const text = await states.text(state);
  const at = text.indexOf(`"${image}@sha256:`);
  if (at !== -1) return text.slice(at + 1, text.indexOf('"', at + 1));
  return `${image}@${await imageDigest(images, name)}`;
}

function parseState(text: string): unknown {
  // Terraform's own warnings stand before it.
  return JSON.parse(text.slice(text.indexOf("{\n")));
}

/** Until then nobody finds the fleet, and certificates wait. */
function delegationStep(google: Google, central: string, zone: string): Step {
  const zones = z.object({
    managedZones: z.array(z.object({ nameServers: z.array(z.string()) })).default([]),
  });
  const wanted = async () =>
    (await google.ask("dns", "GET", `projects/${central}/managedZones?dnsName=${zone}.`, zones)).managedZones
      .flatMap((each) => each.nameServers)
      .map((name) => name.replace(/\.$/, ""));
  return {
    name: `delegation of ${zone}`,
    isLate: true,
    done: async () => {
      const found = await resolveNs(zone).catch((): string[] => []);
      const names = await wanted();
      return names.length > 0 && names.every((name) => found.includes(name));
    },
    mend: `compare the zone with the old one (dig), then name these servers at the domain's registrar: gcloud dns managed-zones list --project=${central} --format='value(nameServers)'`,
  };
}
