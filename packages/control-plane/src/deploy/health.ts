import { messageOf } from "@proveniq/contracts";
import { describeService, describeSink } from "../status/answers.ts";
import { getJson } from "../status/probe.ts";

const answerMs = 3_000;
/** Events that wait longer are not carried well, in seconds. */
const lateSeconds = 120;

/**
 * What a cell says is not well with it: databases that do not answer, market values behind, events that wait. `sink` is left
 * out where it has no address. `prove` makes the headers by which a cell knows that the fleet asks.
 */
export async function illsOf(
  origins: { api: string; bulk: string; sink?: string },
  prove: (url: string) => Readonly<Record<string, string>>,
): Promise<string[]> {
  const [api, bulk, sink] = await Promise.all([
    service("API", `${origins.api}/ready`, prove),
    service("imports", `${origins.bulk}/ready`, prove),
    origins.sink === undefined ? [] : outboxes(origins.sink),
  ]);
  return [...api, ...bulk, ...sink];
}

async function service(
  name: string,
  url: string,
  prove: (url: string) => Readonly<Record<string, string>>,
): Promise<string[]> {
  try {
    const told = describeService(await getJson(url, AbortSignal.timeout(answerMs), prove(url)));
    return [...told.unavailable.map((each) => `${each}: not reached`), ...told.degraded];
  } catch (error) {
    return [`${name}: ${messageOf(error)}`];
  }
}

async function outboxes(origin: string): Promise<string[]> {
  try {
    const told = describeSink(await getJson(`${origin}/ready`, AbortSignal.timeout(answerMs)));
    return told.flatMap(({ database, state, reason, oldestSeconds }) => {
      if (state !== "ready") return [`outbox of ${database}: ${reason ?? state}`];
      return oldestSeconds > lateSeconds ? [`outbox of ${database}: events wait for ${oldestSeconds} s`] : [];
    });
  } catch (error) {
    return [`sink: ${messageOf(error)}`];
  }
}
