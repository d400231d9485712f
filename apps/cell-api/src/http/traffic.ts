/** How long a request counts, in seconds, and how finely they are forgotten. */
export const trafficSeconds = 300;
const stepMs = 10_000;
const steps = (trafficSeconds * 1_000) / stepMs;

/** Requests to tenants' routes over the last five minutes, of this process: for whoever asks whether a cell is ill. */
export class Traffic {
  readonly #now: () => number;
  readonly #steps = Array.from({ length: steps }, () => ({ step: -1, requests: 0, failed: 0 }));

  /** `now` is in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  count(failed: boolean): void {
    const step = Math.floor(this.#now() / stepMs);
    const place = this.#steps[step % steps];
    if (place === undefined) return;
    if (place.step !== step) Object.assign(place, { step, requests: 0, failed: 0 });
    place.requests += 1;
    if (failed) place.failed += 1;
  }

  summary(): { seconds: number; requests: number; failed: number } {
    const oldest = Math.floor(this.#now() / stepMs) - steps;
    const told = { seconds: trafficSeconds, requests: 0, failed: 0 };
    for (const { step, requests, failed } of this.#steps) {
      if (step <= oldest) continue;
      told.requests += requests;
      told.failed += failed;
    }
    return told;
  }
}
