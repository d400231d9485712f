import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Observed } from "./types.ts";

/** Cloud Run writes a point a minute, and it can be read up to three minutes later: https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run */
const visibleAfterMs = 180_000;
const periodSeconds = 60;

const series = z.object({
  timeSeries: z
    .array(
      z.object({
        metric: z.object({ labels: z.record(z.string(), z.string()).default({}) }).default({ labels: {} }),
        points: z.array(
          z.object({
            value: z.object({
              int64Value: z.string().regex(/^\d+$/).optional(),
              doubleValue: z.number().optional(),
            }),
          }),
        ),
      }),
    )
    .default([]),
});
type Series = z.infer<typeof series>["timeSeries"];

export interface TrafficQuestion {
  api: string;
  token: () => Promise<string>;
  project: string;
  /** Name of the Cloud Run service. */
  service: string;
  /** Over how long; it is watched from now on. */
  seconds: number;
  signal: AbortSignal;
}

/**
 * What a service's clients got from now on over `seconds` (whole minutes), by Cloud Monitoring. Resolves when that can be
 * read, minutes later. Undefined: there is no data.
 */
export async function readTraffic(
  question: TrafficQuestion,
  waitMs = visibleAfterMs,
): Promise<Omit<Observed, "ill"> | undefined> {
  const seconds = Math.max(1, Math.ceil(question.seconds / periodSeconds)) * periodSeconds;
  const from = new Date();
  const to = new Date(from.getTime() + seconds * 1_000);
  await sleep(Math.max(0, to.getTime() - Date.now()) + waitMs, undefined, { signal: question.signal });
  const counts = await query(question, from, to, "request_count", {
    "aggregation.perSeriesAligner": "ALIGN_DELTA",
    "aggregation.crossSeriesReducer": "REDUCE_SUM",
    "aggregation.groupByFields": "metric.label.response_code_class",
  });
  if (counts.length === 0) return undefined;
  const latencies = await query(question, from, to, "request_latencies", {
    "aggregation.perSeriesAligner": "ALIGN_PERCENTILE_95",
    "aggregation.crossSeriesReducer": "REDUCE_MAX",
  });
  const failed = counts.filter(({ metric }) => metric.labels["response_code_class"] === "5xx");
  const slow = latencies.flatMap(({ points }) => points.flatMap(({ value }) => value.doubleValue ?? []));
  return {
    seconds,
    requests: total(counts),
    failed: total(failed),
    p95Ms: slow.length === 0 ? null : Math.max(...slow),
  };
}

const total = (all: Series) =>
  all.flatMap(({ points }) => points).reduce((sum, { value }) => sum + Number(value.int64Value ?? 0), 0);

async function query(
  { api, token, project, service, signal }: TrafficQuestion,
  from: Date,
  to: Date,
  metric: string,
  aggregation: Record<string, string>,
): Promise<Series> {
  const search = new URLSearchParams({
    filter: `metric.type = "run.googleapis.com/${metric}" AND resource.type = "cloud_run_revision" AND resource.label.service_name = "${service}"`,
    "interval.startTime": from.toISOString(),
    "interval.endTime": to.toISOString(),
    "aggregation.alignmentPeriod": `${periodSeconds}s`,
    ...aggregation,
  });
  const response = await fetch(`${api}/v3/projects/${project}/timeSeries?${search.toString()}`, {
    headers: { authorization: `Bearer ${await token()}` },
    redirect: "error",
    signal: AbortSignal.any([signal, AbortSignal.timeout(20_000)]),
  });
  if (!response.ok) throw new Error(`Cloud Monitoring of ${project} answers ${response.status}`);
  return series.parse(await response.json()).timeSeries;
}
