import type { Observed } from "./types.ts";

/** Fewer requests in a window say nothing, and nothing is not good enough. */
const minRequests = 10;
/** One failed request of a few is an accident. */
const minFailed = 3;
const errorRate = 0.01;
const slower = { factor: 2, byMs: 250 };

/** What a cell is held to that could not be watched before: nobody knows how it was. */
const unknown: Observed = { seconds: 0, requests: 0, failed: 0, p95Ms: 500, ill: [] };

/**
 * Why a cell is worse now than before, in one sentence; undefined when it is not. It is compared with itself alone: errors
 * (1 % more of all requests), latency (p95 twice as long, and 250 ms longer at least), and what it says is not well with it.
 * No data is a reason too. Pure.
 */
export function regression(before: Observed | undefined, now: Observed | undefined): string | undefined {
  if (now === undefined) return "no data: nothing could be found out about the cell";
  if (now.requests < minRequests)
    return `no data: ${now.requests} requests in ${Math.round(now.seconds)} s, and ${minRequests} are needed to judge`;
  const base = before ?? unknown;
  const rate = now.failed / now.requests;
  if (now.failed >= minFailed && rate > rateOf(base) + errorRate)
    return `errors: ${now.failed} of ${now.requests} requests failed, and ${percent(rateOf(base))} before`;
  const usual = base.p95Ms ?? 0;
  if (now.p95Ms !== null && now.p95Ms > Math.max(usual * slower.factor, usual + slower.byMs))
    return `latency: 95 of 100 requests took up to ${Math.round(now.p95Ms)} ms, and ${Math.round(usual)} ms before`;
  const fresh = now.ill.filter((each) => !base.ill.some((known) => nameOf(known) === nameOf(each)));
  return fresh.length === 0 ? undefined : `health: ${fresh.join("; ")}`;
}

const rateOf = ({ requests, failed }: Observed) => (requests === 0 ? 0 : failed / requests);
const percent = (rate: number) => `${(rate * 100).toFixed(1)} %`;
/** `market: lag 61 s` and `market: lag 70 s` are the same complaint. */
const nameOf = (ill: string) => ill.split(":")[0];

/** One line for people. */
export function describeObserved({ requests, failed, p95Ms, ill, seconds }: Observed): string {
  const latency = p95Ms === null ? "" : `, p95 ${Math.round(p95Ms)} ms`;
  return `${requests} requests in ${Math.round(seconds)} s, ${failed} failed${latency}${ill.length === 0 ? "" : `, ${ill.join("; ")}`}`;
}
