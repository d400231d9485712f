import { setTimeout as sleep } from "node:timers/promises";

/** Headers for a question, made when it is asked. */
type HeadersFor = (url: string) => Readonly<Record<string, string>>;
const none: HeadersFor = () => ({});

/** Ask again and again until the URL answers 2xx; rejects when the signal aborts, with the last answer as the reason. */
export async function untilOk(url: string, signal: AbortSignal, headers = none): Promise<void> {
  await until(url, signal, 50, headers, () => true);
}

/** The same until a cell's /ready says that all it uses is ready, also what it could serve without. */
export async function untilReady(url: string, signal: AbortSignal, headers = none): Promise<void> {
  await until(url, signal, 200, headers, (body) => body.startsWith('{"status":"ready"'));
}

async function until(
  url: string,
  signal: AbortSignal,
  everyMs: number,
  headers: HeadersFor,
  accepts: (body: string) => boolean,
): Promise<void> {
  let last = "no answer";
  while (!signal.aborted) {
    try {
      const response = await fetch(url, {
        headers: headers(url),
        signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
      });
      const body = await response.text();
      if (response.ok && accepts(body)) return;
      last = `${response.status} ${body.slice(0, 300)}`;
    } catch {
      // Not listening yet, or aborted; the loop decides.
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
  throw new Error(`${url} did not become ready: ${last}`);
}
