import { inspectPauses, inspectReplica, inspectTenants, loadClient } from "@proveniq/db/inspect";
import { artefactDigest, describeService, describeSink } from "./answers.ts";
import type { CellFacts, CellPlace, Probe } from "./types.ts";

/** No question takes longer, in milliseconds: one that nobody answers must not hide the others. */
export const probeMs = 1_300;

/** How many steps the time of a question has. */
const steps = 13;

/** An answer, or why there is none, in `ms` at most. What goes on after that is heard no more. */
export async function probe<T>(ask: (signal: AbortSignal) => Promise<T>, ms = probeMs): Promise<Probe<T>> {
  const late = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<never>((_, reject) => {
    // Step by step: time in which this process itself could not listen, on a busy machine, is nobody's silence.
    const step = (left: number) => {
      if (left > 0) timer = setTimeout(() => step(left - 1), ms / steps);
      else {
        const error = new Error(`no answer in ${ms / 1_000} s`);
        reject(error);
        late.abort(error);
      }
    };
    step(steps);
  });
  try {
    return { ok: true, value: await Promise.race([ask(late.signal), over]) };
  } catch (error) {
    return { ok: false, error: reasonOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** The same for a database. Its client is loaded first, while others are asked already, and that is nobody's silence either. */
export async function probeDatabase<T>(ask: () => Promise<T>): Promise<Probe<T>> {
  await loadClient();
  return probe(ask);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const { cause } = error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") {
    return cause.code === "ECONNREFUSED" ? "connection refused" : cause.code;
  }
  return error.message.split("\n")[0]?.slice(0, 200) ?? "unknown";
}

/** GET a JSON document. A 503 is an answer too: it says what is wrong. */
export async function getJson(
  url: string,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const response = await fetch(url, { signal, headers, redirect: "error" });
  if (!response.ok && response.status !== 503) throw new Error(`answers ${response.status}`);
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`answers ${response.status}, and not JSON`);
  }
}

/** Ask all parts of a cell at once. */
export async function probeCell(id: string, place: CellPlace): Promise<CellFacts> {
  const { api, bulk, sink, databases, marketDatabase, pool, prove } = place;
  const ask = (url: string, signal: AbortSignal) => getJson(url, signal, prove(url));
  const asked = await Promise.all([
    probe(async (signal) => artefactDigest(await ask(`${api}/v1/cell`, signal))),
    probe(async (signal) => describeService(await ask(`${api}/ready`, signal))),
    probe(async (signal) => describeService(await ask(`${bulk}/ready`, signal))),
    sink === undefined
      ? undefined
      : probe(async (signal) => describeSink(await getJson(`${sink}/ready`, signal))),
    probeDatabase(async () => {
      const { sequence, caughtUpAt } = await inspectReplica(pool, marketDatabase);
      const age =
        caughtUpAt === null ? null : Math.max(0, Math.round((Date.now() - Date.parse(caughtUpAt)) / 1_000));
      return { sequence, ageSeconds: age };
    }),
    probeDatabase(() => inspectTenants(pool, databases)),
    probeDatabase(() => inspectPauses(pool, databases[0] ?? "", marketDatabase)),
  ]);
  const [digest, ready, imports, outboxes, replica, tenants, pauses] = asked;
  const { maxReplicaLagSeconds } = place;
  return {
    id,
    digest,
    api: ready,
    bulk: imports,
    sink: outboxes,
    replica,
    tenants,
    pauses,
    maxReplicaLagSeconds,
  };
}
