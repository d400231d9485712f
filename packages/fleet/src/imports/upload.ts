import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type ChunkAnswer, chunkAnswer, type ImportInput } from "@proveniq/contracts";
import { completeImport } from "./complete.ts";
import { type ImportApi, Refusal, waitSeconds } from "./http.ts";
import { type SeenJob, seenJob } from "./job.ts";
import type { Journal, Totals } from "./journal.ts";
import type { Progress } from "./progress.ts";
import type { SourceFile } from "./source.ts";
import { chunksOf, type FileChunk } from "./split.ts";

const pack = promisify(gzip);

export interface UploadOptions {
  parallel: number;
  confirmDeletes?: number;
  /** Check it, and leave it open. */
  preview?: boolean;
}

/** Begin an import. `key`: the same for every attempt, so that it is begun once. */
export async function beginImport(api: ImportApi, input: ImportInput, key: string): Promise<SeenJob> {
  const answer = await api.call({
    method: "POST",
    path: "/imports",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify(input),
  });
  return seenJob.parse(JSON.parse(answer.text));
}

export async function getImport(api: ImportApi, id: string): Promise<SeenJob> {
  return seenJob.parse(JSON.parse((await api.call({ method: "GET", path: `/imports/${id}` })).text));
}

export async function cancelImport(api: ImportApi, id: string): Promise<SeenJob> {
  return seenJob.parse(JSON.parse((await api.call({ method: "DELETE", path: `/imports/${id}` })).text));
}

/**
 * Send every chunk that is not done, then complete. What a cell asks for again (a release before left it in a form that this one does
 * not take) is sent again. A run that was killed after the last chunk does not read the file once more.
 */
export async function uploadAll(
  api: ImportApi,
  id: string,
  source: SourceFile,
  journal: Journal,
  progress: Progress,
  { parallel, ...more }: UploadOptions,
): Promise<SeenJob> {
  for (let round = 0; ; round++) {
    const totals = journal.totals ?? (await sendMissing(api, id, source, journal, progress, parallel));
    if (journal.totals === undefined) await journal.sent(totals);
    progress.sent();
    try {
      return await completeImport(api, id, { ...totals, ...more }, progress);
    } catch (error) {
      const wanted = error instanceof Refusal ? chunksWanted(error) : [];
      if (wanted.length === 0 || round >= 5) throw error;
      for (const chunk of wanted) journal.forget(chunk);
    }
  }
}

function chunksWanted({ problem }: Refusal): number[] {
  if (problem.code !== "import-incomplete") return [];
  return (problem.errors ?? []).flatMap(({ path }) => {
    const chunk = /^\/chunks\/(\d+)$/.exec(path)?.[1];
    return chunk === undefined ? [] : [Number(chunk)];
  });
}

async function sendMissing(
  api: ImportApi,
  id: string,
  source: SourceFile,
  journal: Journal,
  progress: Progress,
  parallel: number,
): Promise<Totals> {
  const running = new Set<Promise<void>>();
  let failure: Error | undefined;
  let chunks = 0;
  let rows = 0;
  for await (const chunk of chunksOf(source)) {
    if (failure !== undefined) break;
    chunks++;
    rows += chunk.rows;
    progress.read(chunk.bytes.length);
    if (journal.done.has(chunk.chunk)) {
      progress.skipped(chunk.rows);
      continue;
    }
    while (running.size >= parallel) await Promise.race(running);
    const sending = sendChunk(api, id, chunk, source, progress)
      .then(() => journal.note(chunk.chunk, chunk.rows))
      .catch((error: unknown) => {
        failure ??= error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => running.delete(sending));
    running.add(sending);
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure;
  return { chunks, rows };
}

async function sendChunk(
  api: ImportApi,
  id: string,
  chunk: FileChunk,
  source: SourceFile,
  progress: Progress,
): Promise<void> {
  const body = await pack(chunk.bytes, { level: 1 });
  const digest = createHash("sha256").update(body).digest("base64");
  let before: ChunkAnswer | undefined;
  for (;;) {
    const answer = await api.call({
      method: "PUT",
      path: `/imports/${id}/chunks/${chunk.chunk}?firstRow=${chunk.firstRow}`,
      headers: { "content-type": "application/gzip", "content-digest": `sha-256=:${digest}:` },
      body,
    });
    const state = chunkAnswer.parse(JSON.parse(answer.text));
    if (state.rows !== chunk.rows) {
      throw new Error(
        `${source.path}: the cell found ${state.rows} rows in chunk ${chunk.chunk}, this program ${chunk.rows}`,
      );
    }
    progress.chunk(before, state);
    before = state;
    if (state.state === "done") return;
    await sleep(waitSeconds(answer, 0) * 1000);
  }
}
