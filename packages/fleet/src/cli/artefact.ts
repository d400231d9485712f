import { join, resolve } from "node:path";
import { type Packed, packArtefact, readPacked } from "@proveniq/control-plane/artefact";
import { buildAll } from "@proveniq/local-cloud/fleet";
import { readCliConfig } from "../config.ts";
import { root } from "./paths.ts";

/** Where packed artefacts are kept unless told otherwise. */
export const packedFolder = join(root, ".artefacts");

/** Build, when there is anything to build, and pack. */
export async function buildAndPack(out: string = packedFolder): Promise<Packed> {
  if (!readCliConfig().underTurbo) await buildAll(root);
  return packArtefact({ root, dist: join(root, "apps/cell-api/dist"), out: resolve(out) });
}

/** What shall be deployed: a folder that `fleet pack` made, or what the repository holds now. */
export async function artefactFor(folder: string | undefined): Promise<Packed> {
  return folder === undefined ? buildAndPack() : readPacked(resolve(folder));
}
