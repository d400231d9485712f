/** Firestore's advice for traffic on a collection that was at rest: 500 operations a second, half more every 5 minutes. */
const start = 500;
const growth = 1.5;
const stepMs = 5 * 60_000;

/** After so long without imports a tenant's collection counts as rested, and the ramp begins anew. */
export const restMs = 30 * 60_000;

/** Writes per second that a ramp which began `ageMs` ago allows, over all instances. */
export function rampRate(ageMs: number): number {
  return start * growth ** Math.floor(Math.max(0, ageMs) / stepMs);
}

/** Seconds that `writes` will take on a ramp that began `ageMs` ago, never faster than `cap` a second. */
export function rampSeconds(writes: number, ageMs: number, cap: number): number {
  let left = writes;
  let age = ageMs;
  let seconds = 0;
  while (left > 0) {
    const rate = Math.min(cap, rampRate(age));
    const stepSeconds = (stepMs - (age % stepMs)) / 1000;
    if (rate >= cap || left <= rate * stepSeconds) return seconds + left / rate;
    left -= rate * stepSeconds;
    seconds += stepSeconds;
    age += stepSeconds * 1000;
  }
  return seconds;
}
