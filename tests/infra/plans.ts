import type { Residency } from "@proveniq/contracts";
import { z } from "zod";
import { analysts, type Fleet, fleetOf, repository, stateVariables } from "./fleet.ts";
import { cellPolicies, definitions } from "./policies/cell.ts";
import { centralPolicies } from "./policies/central.ts";
import { bootstrapPolicies } from "./policies/deployers.ts";
import { edgePolicies } from "./policies/edge.ts";
import { isPlanners, plannerPolicies } from "./policies/planner.ts";
import { check, commonPolicies } from "./policies/policy.ts";
import { projectPolicies } from "./policies/project.ts";
import { runningPolicies } from "./policies/running.ts";
import type { Infra, Planned, Root } from "./terraform.ts";

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
