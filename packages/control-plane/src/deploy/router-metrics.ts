import type { Observed } from "./types.ts";

/** What a router has counted of one cell since it started: requests and failures of all services, and how many of its API took at most so long. */
export interface Counted {
  requests: number;
  failed: number;
  /** Upper bound in seconds → requests that took no longer. */
  durations: Map<number, number>;
}

const line = /^(router_requests_total|router_request_seconds_bucket)\{([^}]*)\} (\S+)$/;

/** Read a router's metrics in Prometheus's text format (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export function readMetrics(text: string, cell: string): Counted {
  const counted: Counted = { requests: 0, failed: 0, durations: new Map() };
  for (const each of text.split("\n")) {
    const [, name, labelText = "", value] = line.exec(each) ?? [];
    if (name === undefined) continue;
    const labels = Object.fromEntries(
      [...labelText.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, key, v]) => [key, v]),
    );
    if (labels["cell"] !== cell) continue;
    const n = Number(value);
    if (name === "router_requests_total") {
      counted.requests += n;
      if (Number(labels["status"]) >= 500) counted.failed += n;
    } else if (labels["service"] === "api") {
      // A chunk of an import takes as long as it is large: what is slow there says nothing.
      const le = labels["le"] === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels["le"]);
      counted.durations.set(le, (counted.durations.get(le) ?? 0) + n);
    }
  }
  return counted;
}

/** What happened between two readings. A router that began anew in between has counted from nothing. */
export function between(before: Counted, after: Counted): Pick<Observed, "requests" | "failed" | "p95Ms"> {
  const anew = after.requests < before.requests;
  const since = (now: number, then: number) => (anew ? now : now - then);
  const requests = since(after.requests, before.requests);
  const durations = [...after.durations]
    .map(([le, n]) => [le, since(n, before.durations.get(le) ?? 0)] as const)
    .sort(([a], [b]) => a - b);
  return { requests, failed: since(after.failed, before.failed), p95Ms: quantile(durations, 0.95) };
}

/** By linear interpolation within the bucket that the quantile falls into; the last bucket has no width. */
function quantile(buckets: readonly (readonly [le: number, n: number])[], q: number): number | null {
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total === 0) return null;
  let [low, below] = [0, 0];
  for (const [le, n] of buckets) {
    if (n >= q * total) {
      if (le === Number.POSITIVE_INFINITY) return low * 1_000;
      const within = n === below ? 1 : (q * total - below) / (n - below);
      return (low + (le - low) * within) * 1_000;
    }
    [low, below] = [le, n];
  }
  return low * 1_000;
}
