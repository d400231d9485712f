import { join, resolve } from "node:path";
import { loadFleet } from "@proveniq/control-plane";
import { loadEntries, type Packed, packArtefact, readPacked } from "@proveniq/control-plane/artefact";
import { buildAll } from "@proveniq/local-cloud/fleet";
import { readCliConfig } from "../config.ts";
import { root } from "./paths.ts";

/** Where packed artefacts are kept unless told otherwise. */
export const packedFolder = join(root, ".artefacts");

/** Build, when there is anything to build, pack, and load what a cell would. */
export async function buildAndPack(out: string = packedFolder): Promise<Packed> {
  if (!readCliConfig().underTurbo) await buildAll(root);
  const packed = await packArtefact({ root, dist: join(root, "apps/cell-api/dist"), out: resolve(out) });
  const [[cell, manifest] = []] = Object.entries((await loadFleet(join(root, "infra"))).manifests);
  if (cell !== undefined && manifest !== undefined) await loadEntries(packed, cell, manifest);
  return packed;
}

/** What shall be deployed: a folder that `fleet pack` made, or what the repository holds now. */
export async function artefactFor(folder: string | undefined): Promise<Packed> {
  return folder === undefined ? buildAndPack() : readPacked(resolve(folder));
}
