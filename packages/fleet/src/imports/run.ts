import { writeFile } from "node:fs/promises";
import type { ImportInput, ImportJob } from "@proveniq/contracts";
import { CommandError } from "../cli/errors.ts";
import { ImportApi } from "./http.ts";
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
    if (journal.fingerprint !== "" && options.fresh) await giveUp(api, journal);
    else if (journal.fingerprint !== "" && journal.fingerprint !== fingerprint) {
      throw new CommandError(
        `An import of ${source.path} was begun when the file, the mapping or the options were others (${journal.path}). ` +
          "Finish it as it was, or add --fresh to give it up and begin anew: what it wrote stays.",
      );
    }
    const known = options.fresh ? undefined : journal.importId;
    if (known !== undefined) {
      const { state } = await getImport(api, known);
      if (state === "open" || state === "finishing" || state === "completed") return known;
      throw new CommandError(
        `The import of ${source.path} that was begun is ${state}. Add --fresh to begin anew.`,
      );
    }
    if (journal.fingerprint !== fingerprint || options.fresh) await journal.begin(fingerprint);
    const { id } = await beginImport(api, input, journal.key);
    await journal.began(id);
    return id;
  }
}

async function giveUp(api: ImportApi, journal: Journal): Promise<void> {
  if (journal.importId === undefined) return;
  // It may have ended by itself, or be gone: either way it is out of the way.
  await api.call({ method: "DELETE", path: `/imports/${journal.importId}` }).catch((error: unknown) => {
    if (!(error instanceof CommandError)) throw error;
  });
}

async function fetchErrors(api: ImportApi, id: string, file: string): Promise<string | undefined> {
  const { text } = await api.call({ method: "GET", path: `/imports/${id}/errors.csv` });
  if (text.trim().split("\n").length < 2) return undefined;
  await writeFile(file, text);
  return file;
}
