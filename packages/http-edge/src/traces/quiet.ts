import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";

/**
 * What may leave with a span. Libraries add attributes, messages and stacks as they please, and a path in a database names
 * a tenant and its things: so the list is closed.
 */
const told: ReadonlySet<string> = new Set([
  "http.request.method",
  "http.route",
  "http.response.status_code",
  "proveniq.request_id",
  "proveniq.tenant",
  "proveniq.problem",
  "proveniq.reason",
  "proveniq.cell",
  "proveniq.attempts",
  "gcp.firestore.settings.project_id",
  "gcp.firestore.settings.database_id",
  "doc_count",
  "response_count",
  "transactional",
  "transaction_type",
  "attempts_allowed",
  "attempts_remaining",
  "retry_query_with_cursor",
]);

/** The same span without anything that could quote what was worked on. */
export function quiet(span: ReadableSpan): ReadableSpan {
  return {
    name: span.name,
    kind: span.kind,
    spanContext: () => span.spanContext(),
    ...(span.parentSpanContext === undefined ? {} : { parentSpanContext: span.parentSpanContext }),
    startTime: span.startTime,
    endTime: span.endTime,
    duration: span.duration,
    ended: span.ended,
    status: { code: span.status.code },
    attributes: Object.fromEntries(Object.entries(span.attributes).filter(([key]) => told.has(key))),
    links: [],
    events: [],
    resource: span.resource,
    instrumentationScope: span.instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Spans that a collector did not take: for the `failures`th time in a row. Never an error's words: they may hold its URL. */
export interface ExportTrouble {
  failures: number;
  /** Of the spans that were in this sending. */
  lost: number;
  error: string;
}

/** An exporter that sends quiet spans, and says when they are not taken: at the first failure, then more and more seldom. */
export function quietExporter(
  exporter: SpanExporter,
  onTrouble: (trouble: ExportTrouble) => void,
): SpanExporter {
  let failures = 0;
  const heard = ({ code, error }: ExportResult, lost: number) => {
    failures = code === ExportResultCode.SUCCESS ? 0 : failures + 1;
    if (failures > 0 && Number.isInteger(Math.log2(failures)))
      onTrouble({ failures, lost, error: error?.name ?? "unknown" });
  };
  return {
    export: (spans, done) =>
      exporter.export(spans.map(quiet), (result) => {
        heard(result, spans.length);
        done(result);
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}
