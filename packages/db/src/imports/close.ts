import { ProblemError } from "@proveniq/contracts";
import { change, closedIn, without } from "./queue.ts";
import type { Engine, ImportRecord } from "./types.ts";
import type { Place } from "./work.ts";

/** Why an import takes no more. */
export function closed({
  input,
  state,
  engine,
}: Pick<ImportRecord, "input" | "state" | "engine">): ProblemError {
  return new ProblemError("import-closed", `The import is ${why(input, state, engine)}.`);
}

function why(input: ImportRecord["input"], state: ImportRecord["state"], { reason, phase }: Engine): string {
  if (reason !== undefined) return `${state}: ${reason}`;
  if (state === "stopped") {
    return `stopped: it has more errors than its maxErrors, ${input.maxErrors}. See its report`;
  }
  if (phase !== "ended" && phase !== "receiving") return "being completed";
  return state;
}

/** What is kept of an import for those who must see whether it ended. */
export function ended(
  record: ImportRecord,
  state: ImportRecord["state"],
  more: Partial<Engine>,
): ImportRecord {
  const { phase, unseen: _, ...engine } = record.engine;
  return {
    ...record,
    state,
    engine: { ...engine, wrote: phase === "writing", ...more, phase: "ended", endedAt: Date.now() },
  };
}

/** End an import where it is. Ending it twice is the same. Throws `import-closed` when it ended otherwise. */
export async function closeImport(
  place: Place,
  as: "cancelled" | "stopped",
  reason?: string,
): Promise<ImportRecord> {
  return change(place, ({ record, queue, state }) => {
    if (record.state === as) return undefined;
    if (record.engine.phase === "ended") throw closed(record);
    return {
      record: ended(record, as, reason === undefined ? {} : { reason }),
      queue: without(queue, record.id),
      state: closedIn(state, record.id),
    };
  });
}

/** Throws `import-closed`, and stops the import, when more rows were refused than may be. */
export async function requireFew(place: Place, { input }: ImportRecord, failed: number): Promise<void> {
  if (failed <= input.maxErrors) return;
  throw closed(await closeImport(place, "stopped"));
}
