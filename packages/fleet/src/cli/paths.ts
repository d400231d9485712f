import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository that this CLI is part of. */
export const root = fileURLToPath(new URL("../../../../", import.meta.url)).replace(/\/$/, "");

/** Where a fleet keeps its state: what was asked for, else `.fleet` in the repository. */
export function stateDirectory(asked: string | undefined): string {
  return asked === undefined ? join(root, ".fleet") : resolve(asked);
}
