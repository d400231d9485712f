import { readdirSync, rmSync } from "node:fs";
import {
  type CellManifest,
  cellManifest,
  type FleetConfig,
  fleetConfig,
  parseFile,
  type Residency,
} from "@proveniq/contracts";
import { z } from "zod";
import { caseDirectory } from "../../apps/router/src/decide/cases.ts";
import { cellPolicies, definitions } from "./policies/cell.ts";
import { centralPolicies } from "./policies/central.ts";
import { bootstrapPolicies } from "./policies/deployers.ts";
import { edgePolicies } from "./policies/edge.ts";
import { isPlanners, plannerPolicies } from "./policies/planner.ts";
import { check, commonPolicies } from "./policies/policy.ts";
import { projectPolicies } from "./policies/project.ts";
import { runningPolicies } from "./policies/running.ts";
import type { Infra, Planned, Root } from "./terraform.ts";

const repository = "proveniq/cells";
const analysts = ["group:analysts@proveniq.io"];
const digest = "a".repeat(64);
/** The zip that cells run. */
export const artefactObject = `cells/${"b".repeat(64)}.zip`;
export const billingAccount = "000000-000000-000000";
const artefact = {
  artefact_digest: digest,
  artefact_object: artefactObject,
  git_commit: "c0ffee",
  billing_account: billingAccount,
  traces: { endpoint: "https://traces.example", ratio: 0.01 },
};

export interface Fleet {
  config: FleetConfig;
  cells: Record<string, CellManifest>;
}

/** fleet.json and the manifests of a copy, which a test may have changed. */
export function fleetOf(infra: Infra): Fleet {
  const ids = readdirSync(infra.path("cells")).toSorted();
  return {
    config: parseFile(fleetConfig, "fleet.json", infra.read("fleet.json")),
    cells: Object.fromEntries(
      ids.map((id) => {
        const file = `cells/${id}/cell.json`;
        return [id, parseFile(cellManifest, file, infra.read(file))];
      }),
    ),
  };
}

/** Leave only the cells that the router's cases are about: what has been added since makes no difference to a test. */
export function onlyCases(infra: Infra): void {
  for (const id of Object.keys(fleetOf(infra).cells)) {
    if (!Object.hasOwn(caseDirectory.topology.cells, id))
      rmSync(infra.path(`cells/${id}`), { recursive: true });
  }
}

export const residenciesOf = ({ cells, config }: Fleet): Residency[] =>
  (["global", "eu", "us"] as const).filter(
    (r) => config.defaults[r] !== undefined && Object.values(cells).some((m) => m.residency === r),
  );

export const projectsOf = ({ cells, config }: Fleet): string[] => [
  ...new Set([
    config.central.project,
    ...Object.values(config.edges),
    ...Object.values(cells).map((m) => m.project),
  ]),
];

/** What there is to plan: every root, once for each thing that has a state of its own. */
export function everything(fleet: Fleet): [Root, string[]][] {
  return [
    ["cell", Object.keys(fleet.cells)],
    ["edge", residenciesOf(fleet)],
    ["project", projectsOf(fleet)],
    ["central", ["central"]],
    ["bootstrap", ["bootstrap"]],
  ];
}

/** What a state's plan is told, beside the files. */
export function stateVariables({ config, cells }: Fleet, root: Root, name: string): Record<string, unknown> {
  if (root === "cell") return { cell_id: name, ...artefact };
  if (root === "edge") {
    const residency = name as Residency;
    const project = residency === "global" ? config.central.project : config.edges[residency];
    const region = cells[config.defaults[residency]?.cell ?? ""]?.region;
    const image = `${region}-docker.pkg.dev/${project}/router/router@sha256:${digest}`;
    return { residency, router_image: image, traces: artefact.traces };
  }
  if (root === "project") return { project: name };
  return root === "central" ? { analysts } : { repository };
}

/** Plan some of a root's states. Throws what Terraform says against one. */
export async function plan(
  infra: Infra,
  root: Root,
  names: readonly string[],
): Promise<Map<string, Planned[]>> {
  const fleet = fleetOf(infra);
  const { cells } = fleet;
  const runs = names.map((name) => ({
    name,
    variables: stateVariables(fleet, root, name),
    imported:
      root === "cell" && cells[name]?.databases.some((d) => d.id === "(default)") === true
        ? ['module.cell.google_firestore_database.this["(default)"]']
        : [],
  }));
  const results = await infra.plan(root, runs);
  return new Map(
    [...results].map(([name, { resources, errors }]) => {
      if (errors.length > 0) throw new Error(`${root} ${name}: ${errors.join("\n")}`);
      return [name, resources];
    }),
  );
}

/** What is wrong with the plan of one state, a sentence each. */
export function faultsOf(infra: Infra, root: Root, name: string, planned: readonly Planned[]): string[] {
  return [...ownFaults(infra, root, name, planned), ...check(commonPolicies, planned, undefined)];
}

function ownFaults(infra: Infra, root: Root, name: string, planned: readonly Planned[]): string[] {
  const fleet = fleetOf(infra);
  const { config, cells } = fleet;
  if (root === "cell") {
    const manifest = cells[name];
    if (manifest === undefined) throw new Error(`there is no cell ${name}`);
    const read = (file: string) => definitions.parse(JSON.parse(infra.read(file)));
    const indexes = read("firestore.indexes.json");
    const marketIndexes = read("firestore.market-indexes.json");
    const context = { id: name, manifest, config, indexes, marketIndexes };
    return check({ ...cellPolicies, ...runningPolicies }, planned, context);
  }
  if (root === "edge") return check(edgePolicies, planned, { residency: name as Residency, config, cells });
  if (root === "project")
    return check(projectPolicies, planned, { ...fleet, project: name, residency: strictest(fleet, name) });
  if (root === "central") {
    const { tables } = warehouse.parse(JSON.parse(infra.read("warehouse.json")));
    const raw = tables.filter((t) => t.dataset === "raw");
    const rawDays = Object.fromEntries(raw.map((t) => [t.name, t.expiresAfterDays]));
    return check(centralPolicies, planned, { config, cells, rawDays, analysts });
  }
  const context = { config, cells, repository };
  return [
    ...check(
      bootstrapPolicies,
      planned.filter((r) => !isPlanners(r)),
      context,
    ),
    ...check(plannerPolicies, planned.filter(isPlanners), context),
  ];
}

const warehouse = z.object({
  tables: z.array(
    z.object({ dataset: z.string(), name: z.string(), expiresAfterDays: z.number().nullable() }),
  ),
});

/** A project with one EU cell in it, or the EU's front door, is bound as those are. */
function strictest({ cells, config }: Fleet, project: string): Residency {
  const found = Object.values(cells).filter((m) => m.project === project);
  return (
    (["eu", "us"] as const).find(
      (r) => config.edges[r] === project || found.some((m) => m.residency === r),
    ) ?? "global"
  );
}
