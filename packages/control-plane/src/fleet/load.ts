import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type CellManifest,
  cellId,
  cellManifest,
  type FleetConfig,
  fleetConfig,
  parseFile,
} from "@proveniq/contracts";
import { RefusedError } from "../refused.ts";
import { checkFleet } from "./check.ts";

/** Manifests by cell id, in the order of their ids. */
export type Manifests = Readonly<Record<string, CellManifest>>;

export interface Fleet {
  config: FleetConfig;
  manifests: Manifests;
}

/** Reads every `cells/<id>/cell.json` under `infra`. Throws an error that names the file and all its faults. */
export async function loadManifests(infra: string): Promise<Manifests> {
  const root = join(infra, "cells");
  const entries = await readdir(root, { withFileTypes: true });
  const ids = entries.filter((e) => e.isDirectory()).map((e) => e.name);
  const manifests: Record<string, CellManifest> = {};
  for (const id of ids.sort()) {
    const named = cellId.safeParse(id);
    if (!named.success) {
      throw new RefusedError(
        `${join(root, id)}: a cell's folder ${named.error.issues[0]?.message ?? "is its id"}`,
      );
    }
    const file = join(root, id, "cell.json");
    manifests[id] = parseFile(cellManifest, file, await readFile(file, "utf8"));
  }
  if (ids.length === 0) throw new RefusedError(`${root} holds no cell`);
  return manifests;
}

/** Reads `fleet.json` and all manifests under `infra`, and checks them against each other. */
export async function loadFleet(infra: string): Promise<Fleet> {
  const file = join(infra, "fleet.json");
  const config = parseFile(fleetConfig, file, await readFile(file, "utf8"));
  const manifests = await loadManifests(infra);
  const faults = checkFleet(config, manifests);
  if (faults.length > 0) throw new RefusedError(`${infra} does not fit together:\n  ${faults.join("\n  ")}`);
  return { config, manifests };
}
