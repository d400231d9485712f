import { setTimeout as sleep } from "node:timers/promises";

/** Ask again and again until the URL answers 2xx; rejects when the signal aborts, with the last answer as the reason. */
export async function untilOk(url: string, signal: AbortSignal, everyMs = 50): Promise<void> {
  let last = "no answer";
  while (!signal.aborted) {
    try {
      const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]) });
      if (response.ok) {
        await response.body?.cancel();
        return;
      }
      last = `${response.status} ${(await response.text()).slice(0, 300)}`;
    } catch {
      // Not listening yet, or aborted; the loop decides.
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
  throw new Error(`${url} did not become ready: ${last}`);
}
