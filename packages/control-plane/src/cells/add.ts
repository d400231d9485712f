import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CellManifest } from "@proveniq/contracts";
import { fleetDocument } from "../fleet/diagram.ts";
import { loadFleet, type Manifests } from "../fleet/load.ts";
import { addToLock, cellWorkspace } from "./lock.ts";
import { makeManifest, type NewCell } from "./manifest.ts";

export interface AddedCell {
  id: string;
  manifest: CellManifest;
  /** What was written, relative to the repository. */
  files: string[];
}

/**
 * Add a cell to the repository at `root`: manifest, workspace, its place in docs/fleet.md and lock entry, all of them or none. Asks no network. Throws
 * `RefusedError` for what the fleet does not allow.
 */
export async function addCell(root: string, cell: NewCell): Promise<AddedCell> {
  const { config, manifests } = await loadFleet(join(root, "infra"));
  const manifest = makeManifest(cell, config, manifests);
  const lockPath = join(root, "package-lock.json");
  const lock = addToLock(await readFile(lockPath, "utf8"), cell.id);

  const folder = join("infra", "cells", cell.id);
  const files = [join(folder, "cell.json"), join(folder, "package.json")] as const;
  const document = join("docs", "fleet.md");
  const drawn = await readFile(join(root, document), "utf8");
  await mkdir(join(root, folder));
  try {
    await writeFile(join(root, files[0]), `${JSON.stringify(manifest, null, 2)}\n`);
    await writeFile(join(root, files[1]), `${JSON.stringify(cellWorkspace(cell.id), null, 2)}\n`);
    await writeFile(
      join(root, document),
      fleetDocument({ config, manifests: withCell(manifests, cell.id, manifest) }),
    );
    await writeFile(`${lockPath}.new`, lock);
    await rename(`${lockPath}.new`, lockPath);
  } catch (error) {
    await rm(join(root, folder), { recursive: true, force: true });
    await rm(`${lockPath}.new`, { force: true });
    await writeFile(join(root, document), drawn);
    throw error;
  }
  return { id: cell.id, manifest, files: [...files, document, "package-lock.json"] };
}

/** With the new one in its place: cells stand in the order of their ids. */
function withCell(manifests: Manifests, id: string, manifest: CellManifest): Manifests {
  const all = Object.entries({ ...manifests, [id]: manifest });
  return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}
