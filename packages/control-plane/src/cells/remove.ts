import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FleetConfig } from "@proveniq/contracts";
import { inspectTenants } from "@proveniq/db/inspect";
import type { TenantConnections } from "../connections.ts";
import { checkFleet } from "../fleet/check.ts";
import { fleetDocument } from "../fleet/diagram.ts";
import { knownCell } from "../fleet/known-cell.ts";
import { loadFleet, type Manifests } from "../fleet/load.ts";
import { RefusedError } from "../refused.ts";
import { removeFromLock } from "./lock.ts";

export interface RemovedCell {
  id: string;
  /** What is removed or written anew, relative to the repository. */
  files: string[];
  /** What remains to be done in the cloud, in this order. */
  steps: string[];
}

/** What a registry and the cell's own databases say of a cell. */
export interface CellTenants {
  /** Placed in it, by the registry. */
  placed: string[];
  /** Claimed in it, by its own databases, with the state of the claim; a tombstone (`moved`) is none. */
  claimed: { tenantId: string; state: string }[];
}

/** Ask the registry and the cell. `ignore`: tenants that nobody would miss, such as a local fleet's sample. */
export async function tenantsOf(
  connections: TenantConnections,
  { manifests }: { manifests: Manifests },
  id: string,
  ignore: readonly string[] = [],
): Promise<CellTenants> {
  const { placements } = await connections.control.snapshot();
  const placed = placements.filter((p) => p.cellId === id).map((p) => p.tenantId);
  const databases = manifests[id]?.databases.map((d) => d.id) ?? [];
  const found = databases.length === 0 ? [] : await inspectTenants(connections.cell(id), databases);
  const claimed = found.flatMap(({ tenantId, claim }) =>
    claim === undefined || claim.state === "moved" ? [] : [{ tenantId, state: claim.state }],
  );
  return {
    placed: placed.filter((t) => !ignore.includes(t)),
    claimed: claimed.filter((c) => !ignore.includes(c.tenantId)),
  };
}

/** Everything that forbids to remove a cell, a sentence each: what it is, and what to do about it. Pure. */
export function refusalsToRemove(
  id: string,
  { config, manifests }: { config: FleetConfig; manifests: Manifests },
  { placed, claimed }: CellTenants,
): string[] {
  const defaults = Object.entries(config.defaults).flatMap(([residency, target]) => {
    if (target?.cell !== id) return [];
    if (residency === "global")
      return ["it is Cell 0: who names no tenant is served there. Cell 0 cannot be removed."];
    return [
      `it is the default of residency "${residency}". Name another cell in infra/fleet.json (defaults.${residency}), deploy the edge of ${residency}, and try again.`,
    ];
  });
  const pinned = Object.entries(config.pinnedTenants).flatMap(([tenant, { cell }]) =>
    cell === id
      ? [`${tenant} is pinned to it. Take it out of pinnedTenants in infra/fleet.json, and apply the edge.`]
      : [],
  );
  const moving = claimed.filter((c) => c.state === "moving" || c.state === "fenced");
  const held = claimed.filter((c) => !moving.includes(c) && !placed.includes(c.tenantId));
  const rest = Object.fromEntries(Object.entries(manifests).filter(([cell]) => cell !== id));
  const known = defaults.length + pinned.length > 0;
  return [
    ...defaults,
    ...pinned,
    ...(placed.length === 0
      ? []
      : [
          `${named(placed)} placed in it. A cell is removed when it is empty: each has to be moved to another cell, or to have left, first.`,
        ]),
    ...(moving.length === 0
      ? []
      : [
          `${named(moving.map((c) => `${c.tenantId} (${c.state})`))} in an open move. Let it end, or abort it, and try again.`,
        ]),
    ...(held.length === 0
      ? []
      : [
          `${named(held.map((c) => `${c.tenantId} (${c.state})`))} claimed in its databases, though the registry says otherwise. \`fleet status\` tells which is right.`,
        ]),
    ...(known ? [] : checkFleet(config, rest)),
  ];
}

const mostNamed = 5;

function named(tenants: readonly string[]): string {
  const some = tenants.slice(0, mostNamed).join(", ");
  const more = tenants.length > mostNamed ? ` and ${tenants.length - mostNamed} more` : "";
  return `${some}${more} ${tenants.length === 1 ? "is" : "are"}`;
}

/**
 * Take a cell out of the repository at `root`: its folder, its place in docs/fleet.md and its lock entry, all of them or none, just
 * as `addCell` put them there. With `dryRun` nothing is written. Throws `RefusedError` with every reason against it.
 */
export async function removeCell(
  root: string,
  id: string,
  tenants: CellTenants,
  { dryRun = false }: { dryRun?: boolean } = {},
): Promise<RemovedCell> {
  const { config, manifests } = await loadFleet(join(root, "infra"));
  const manifest = knownCell(manifests, id);
  const refusals = refusalsToRemove(id, { config, manifests }, tenants);
  if (refusals.length > 0)
    throw new RefusedError(`Cell ${id} cannot be removed:\n${refusals.map((r) => `  ${r}`).join("\n")}`);

  const rest = Object.fromEntries(Object.entries(manifests).filter(([cell]) => cell !== id));
  const folder = join("infra", "cells", id);
  const document = join("docs", "fleet.md");
  const files = [`${folder}/`, document, "package-lock.json"];
  const steps = stepsAfter(id, manifest, rest, config);
  if (dryRun) return { id, files, steps };

  const lockPath = join(root, "package-lock.json");
  const before = {
    lock: await readFile(lockPath, "utf8"),
    document: await readFile(join(root, document), "utf8"),
  };
  const lock = removeFromLock(before.lock, id);
  // The folder last: whoever is interrupted before can begin again, and nobody finds half a cell.
  try {
    await writeFile(join(root, document), fleetDocument({ config, manifests: rest }));
    await writeFile(`${lockPath}.new`, lock);
    await rename(`${lockPath}.new`, lockPath);
  } catch (error) {
    await writeFile(join(root, document), before.document);
    await rm(`${lockPath}.new`, { recursive: true, force: true });
    throw error;
  }
  const aside = join(root, "infra", `.removed-${id}`);
  await rename(join(root, folder), aside);
  await rm(aside, { recursive: true });
  return { id, files, steps };
}

/**
 * The reverse of how it came: first nothing points at it, then it goes. The root of a cell reads its manifest, so it is
 * destroyed from the commit before this one.
 */
function stepsAfter(
  id: string,
  { residency, project, databases, marketDatabase }: Manifests[string],
  rest: Manifests,
  config: FleetConfig,
): string[] {
  const alone = !Object.values(rest).some((m) => m.project === project) && project !== config.central.project;
  return [
    `Wait until its sink has carried all: \`npx fleet analytics reconcile --env production\`, before this is merged. Nobody carries its outbox afterwards.`,
    "Merge, and publish the directory: `npx fleet directory publish`. Routers stop knowing the cell.",
    `Apply roots/edge for ${residency}: its hosts and backends leave the URL map.`,
    `From the commit before this one, in roots/cell (it reads the manifest): \`terraform destroy -var cell_id=${id} …\`. It only forgets the databases ${[...databases, marketDatabase].map((d) => d.id).join(", ")} in ${project}; they and their backups stay, no new backup is made.`,
    "Apply roots/central: it grants the cell nothing any more.",
    alone
      ? `No other cell is in ${project}: destroy roots/project for it, when its databases are gone.`
      : `Apply roots/project for ${project}.`,
    `Apply roots/bootstrap: the deployer deploy-${id} goes. Delete the environment ${id} of the workflows.`,
    `Delete the databases by hand when nobody has to be able to come back: they are protected, and that is the one step that cannot be undone.`,
  ];
}
