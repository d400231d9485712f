import type { Manifests } from "@proveniq/control-plane";
import { CommandError } from "./errors.ts";

/** The manifest of a cell. Throws CommandError for an id that is no cell's. */
export function knownCell(manifests: Manifests, id: string): Manifests[string] {
  const manifest = Object.hasOwn(manifests, id) ? manifests[id] : undefined;
  if (manifest !== undefined) return manifest;
  throw new CommandError(`There is no cell "${id}". There are ${Object.keys(manifests).join(", ")}.`);
}
