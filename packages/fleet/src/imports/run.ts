import { writeFile } from "node:fs/promises";
import type { ImportInput, ImportJob } from "@proveniq/contracts";
import { CommandError } from "../cli/errors.ts";
import { ImportApi, Refusal } from "./http.ts";
import { fingerprintOf, Journal } from "./journal.ts";
import { Progress, type ProgressOutput } from "./progress.ts";
import type { SourceFile } from "./source.ts";
import { beginImport, getImport, uploadAll } from "./upload.ts";

export interface RunOptions {
  url: string;
  tenant: string;
  key: string;
  input: ImportInput;
  parallel: number;
  confirmDeletes?: number;
  /** Where refused rows go. */
  errorsFile: string;
  /** Give up an import of this file that was begun before, and begin anew. */
  fresh: boolean;
  patienceMs: number;
  output: ProgressOutput | undefined;
}

export interface RunResult {
  import: ImportJob;
  rowsPerSecond: number;
  /** Absent: no row was refused. */
  errorsFile?: string;
}

/** Import a file: begin or go on, send what is missing, complete, and fetch the report. */
export async function runImport(source: SourceFile, options: RunOptions): Promise<RunResult> {
  const { url, tenant, key, input, output, patienceMs } = options;
  const progress = new Progress(output, source.bytes);
  const api = new ImportApi({ url, tenant, key, patienceMs, onWait: (why, s) => progress.waiting(why, s) });
  const journal = await Journal.read(source.path);
  try {
    const id = await begunImport(api, journal, source, options);
    const job = await uploadAll(api, id, source, journal, progress, options).catch(async (error: unknown) => {
      // What was refused so far is worth having, whatever has stopped the rest.
      const file = await fetchErrors(api, id, options.errorsFile).catch(() => undefined);
      if (file !== undefined && error instanceof Error)
        error.message += `\nRefused rows so far are in ${file}.`;
      throw error;
    });
    const errorsFile = job.counts.failed > 0 ? await fetchErrors(api, id, options.errorsFile) : undefined;
    await journal.remove();
    return {
      import: job,
      rowsPerSecond: progress.rowsPerSecond,
      ...(errorsFile === undefined ? {} : { errorsFile }),
    };
  } finally {
    progress.end();
    api.close();
  }

  async function begunImport(api: ImportApi, journal: Journal, source: SourceFile, options: RunOptions) {
    const fingerprint = fingerprintOf(source.bytes, source.modifiedAt, source.encoding, url, tenant, input);
    if (journal.fingerprint !== "") {
      if (options.fresh) {
        if (journal.importId !== undefined) await giveUp(api, journal.importId);
      } else {
        const known = await knownImport(api, source, journal, journal.fingerprint === fingerprint);
        if (known !== undefined) return known;
      }
    }
    const anew = options.fresh || journal.importId !== undefined || journal.fingerprint !== fingerprint;
    if (anew) await journal.begin(fingerprint);
    const { id } = await beginImport(api, input, journal.key);
    await journal.began(id);
    return id;
  }
}

/**
 * The import that the journal names, when this run goes on with it; undefined: there is none that could go on. Throws with what to do when
 * one is in the way. `same`: the file, the mapping and the options are those that it was begun with.
 */
async function knownImport(
  api: ImportApi,
  { path }: SourceFile,
  { importId, path: journalPath }: Journal,
  same: boolean,
): Promise<string | undefined> {
  const others = new CommandError(
    `An import of ${path} was begun when the file, the mapping or the options were others (${journalPath}). ` +
      "Finish it as it was, or add --fresh to give it up and begin anew: what it wrote stays.",
  );
  if (importId === undefined && same) return undefined;
  if (importId === undefined) throw others;
  const job = await getImport(api, importId).catch(orGone);
  if (job === undefined) {
    throw new CommandError(
      `An import of ${path} was begun (${journalPath}) and is not to be found: was it another tenant's, or another fleet's? ` +
        "Add --fresh to begin anew.",
    );
  }
  const { state, dryRun } = job;
  const ending = endings[state];
  if (same && ending === undefined) return importId;
  if (same && !dryRun) {
    throw new CommandError(
      `The import of ${path} that was begun ${ending}. What it wrote stays. Add --fresh to begin anew.`,
    );
  }
  // What has ended is in nobody's way, and neither is what wrote nothing.
  const active = state === "open" || state === "finishing";
  if (active && !dryRun) throw others;
  if (active) await giveUp(api, importId);
  return undefined;
}

const endings: Record<string, string> = {
  stopped: "was stopped because too many rows were refused",
  cancelled: "was cancelled",
  superseded: "was overtaken by a newer full import of the same source",
};

function orGone(error: unknown): undefined {
  if (error instanceof Refusal && error.problem.status === 404) return undefined;
  throw error;
}

async function giveUp(api: ImportApi, id: string): Promise<void> {
  // It may have ended by itself, or be gone: either way it is out of the way.
  await api.call({ method: "DELETE", path: `/imports/${id}` }).catch((error: unknown) => {
    if (!(error instanceof CommandError)) throw error;
  });
}

async function fetchErrors(api: ImportApi, id: string, file: string): Promise<string | undefined> {
  const { text } = await api.call({ method: "GET", path: `/imports/${id}/errors.csv` });
  if (text.trim().split("\n").length < 2) return undefined;
  await writeFile(file, text);
  return file;
}
