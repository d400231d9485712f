import { type HrTime, SpanKind, SpanStatusCode, TraceFlags } from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import type { TraceExport } from "@proveniq/contracts";
import { openSpanQueue, type SpanQueueOptions } from "@proveniq/http-edge/traces";
import type { RequestRecord } from "./log.ts";

/** The spans of sampled requests, out of the records that log lines are made of. */
export interface Spans {
  /** One request has ended just now. Health checks are not worth a span. */
  record(record: RequestRecord): void;
  /** Send what is left, for a second at most. */
  close(): Promise<void>;
}

/** Loads OpenTelemetry's exporter: to be imported only where there is a collector. */
export function openSpans(options: TraceExport & Omit<SpanQueueOptions, "service">): Spans {
  const queue = openSpanQueue({ ...options, service: "router" });
  return {
    record: (r) => {
      if (r.spanId === undefined || r.reason === "health") return;
      queue.processor.onEnd(spanOf(r, r.spanId, Date.now(), queue.resource));
    },
    close: () => queue.flush(1_000),
  };
}

/** A span without the library's own contexts: these would be made for every request. `endedAt` in milliseconds since 1970. */
function spanOf(r: RequestRecord, spanId: string, endedAt: number, resource: Resource): ReadableSpan {
  const { traceId, parentSpanId } = r;
  const context = (id: string) => ({ traceId, spanId: id, traceFlags: TraceFlags.SAMPLED });
  const cell =
    r.cell === undefined ? undefined : { "proveniq.cell": r.cell, "proveniq.attempts": r.attempts };
  return {
    name: r.cell === undefined ? r.method : `${r.method} ${r.cell}-${r.service}`,
    kind: SpanKind.SERVER,
    spanContext: () => context(spanId),
    ...(parentSpanId === undefined
      ? {}
      : { parentSpanContext: { ...context(parentSpanId), isRemote: true } }),
    startTime: timeOf(endedAt - r.totalMs),
    endTime: timeOf(endedAt),
    duration: timeOf(r.totalMs),
    ended: true,
    status: { code: r.status >= 500 ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: {
      "http.request.method": r.method,
      "http.response.status_code": r.status,
      "proveniq.request_id": r.requestId,
      "proveniq.reason": r.reason,
      ...cell,
      ...(r.problem === undefined ? {} : { "proveniq.problem": r.problem }),
    },
    links: [],
    events: [],
    resource,
    instrumentationScope: { name: "proveniq-router" },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Milliseconds as whole seconds and nanoseconds. */
function timeOf(ms: number): HrTime {
  const seconds = Math.trunc(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1_000) * 1_000];
}
