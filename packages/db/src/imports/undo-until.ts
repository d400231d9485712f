import { days, undoDays } from "./documents.ts";
import type { ImportRecord } from "./types.ts";

/** When undoing an import ends to be possible, in milliseconds; undefined while it has not ended. */
export function undoUntil({ engine }: Pick<ImportRecord, "engine">): number | undefined {
  return engine.endedAt === undefined ? undefined : engine.endedAt + days(undoDays);
}
