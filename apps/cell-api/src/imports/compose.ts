import type { PauseReader } from "@proveniq/db/pauses";
import type { CellConfig } from "../config.ts";
import { Importer } from "./importer.ts";
import { ImportPace, unlimitedPace } from "./pace.ts";

/** What works on imports in a bulk process: its share of the cell's pace. */
export function createImporter(
  { manifest, instances, importPace }: CellConfig,
  pauses: PauseReader,
): Importer {
  const { writesPerSecond } = manifest.capacity;
  if (importPace === "off") return new Importer({ pauses, pace: unlimitedPace, writesPerSecond: null });
  return new Importer({ pauses, pace: new ImportPace({ writesPerSecond, instances }), writesPerSecond });
}
