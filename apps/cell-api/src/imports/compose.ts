import type { PauseReader } from "@proveniq/db/pauses";
import type { CellConfig } from "../config.ts";
import { Importer } from "./importer.ts";
import { ImportPace, unlimitedPace } from "./pace.ts";

/**
 * What works on imports in a bulk process.
 *
 * @param share What this process may use of the cell's pace now, from 0 to 1.
 */
export function createImporter(
  {
    manifest,
    importPace,
    importLimits: limits,
  }: Pick<CellConfig, "manifest" | "importPace" | "importLimits">,
  pauses: PauseReader,
  share: () => number,
): Importer {
  const { writesPerSecond } = manifest.capacity;
  if (importPace === "off")
    return new Importer({ pauses, pace: unlimitedPace, writesPerSecond: null, limits });
  return new Importer({ pauses, pace: new ImportPace({ writesPerSecond, share }), writesPerSecond, limits });
}
