import { writeFile } from "node:fs/promises";
import type { ImportInput } from "@proveniq/contracts";
import { CommandError } from "../cli/errors.ts";
import { ImportApi, Refusal } from "./http.ts";
import type { SeenJob } from "./job.ts";
import { fingerprintOf, Journal } from "./journal.ts";
import { Progress, type ProgressOutput } from "./progress.ts";
import type { SourceFile } from "./source.ts";
import { beginImport, cancelImport, getImport, uploadAll } from "./upload.ts";

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
  /** Check exactly first, and do what this answers: write it, leave it open for another run, or drop it. */
  preview?: (job: SeenJob) => Promise<"write" | "keep" | "drop">;
  patienceMs: number;
  output: ProgressOutput | undefined;
}

export interface RunResult {
  import: SeenJob;
  /** Over all of this run. */
  rowsPerSecond: number;
  /** Until the last row was sent, and from then on. */
  seconds: { sending: number; ending: number };
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
    const job = await sendAndWrite(api, id, source, journal, progress, options).catch(
      async (error: unknown) => {
        // What was refused so far is worth having, whatever has stopped the rest.
        const file = await fetchErrors(api, id, options.errorsFile).catch(() => undefined);
        if (file !== undefined && error instanceof Error)
          error.message += `\nRefused rows so far are in ${file}.`;
        throw error;
      },
    );
    const errorsFile = refusedOf(job) > 0 ? await fetchErrors(api, id, options.errorsFile) : undefined;
    if (job.state !== "open") await journal.remove();
    return {
      import: job,
      rowsPerSecond: progress.rowsPerSecond,
      seconds: progress.seconds,
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

/** Send what is missing, and complete: at once, or as the answer to a preview wants it. */
async function sendAndWrite(
  api: ImportApi,
  id: string,
  source: SourceFile,
  journal: Journal,
  progress: Progress,
  { parallel, confirmDeletes, preview }: RunOptions,
): Promise<SeenJob> {
  const send = (more: { confirmDeletes?: number; preview?: true }) =>
    uploadAll(api, id, source, journal, progress, { parallel, ...more }).catch(withAdvice);
  const confirmed = confirmDeletes === undefined ? {} : { confirmDeletes };
  if (preview === undefined) return send(confirmed);
  const checked = await send({ preview: true });
  // A run before this one has written it already.
  if (checked.state !== "open") return checked;
  progress.end();
  const answer = await preview(checked);
  if (answer === "keep") return checked;
  if (answer === "drop") return cancelImport(api, id);
  const { gone = 0 } = checked.plan ?? {};
  return send(gone === 0 ? confirmed : { confirmDeletes: gone });
}

/** Say how to go on with this program, after what the cell says about its API. */
function withAdvice(error: unknown): never {
  if (error instanceof Refusal && error.problem.code === "too-many-deletes") {
    const number = /confirmDeletes: (\d+)/.exec(error.problem.detail ?? "")?.[1];
    const yes =
      number === undefined ? "" : ` If that is right, run it again with --confirm-deletes ${number}.`;
    error.message += `\nNothing was written.${yes} --preview shows all counts first.`;
  }
  throw error;
}

/** Rows that were refused, or would be. */
function refusedOf({ counts, plan }: SeenJob): number {
  return Math.max(counts.failed, plan?.failed ?? 0);
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
