import { setTimeout as sleep } from "node:timers/promises";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type SpanProcessor } from "@opentelemetry/sdk-trace";
import type { TraceExport } from "@proveniq/contracts";
import { type ExportTrouble, quietExporter } from "./quiet.ts";

export type { ExportTrouble };

export interface SpanQueueOptions extends Pick<TraceExport, "url" | "headers"> {
  /** Under which name its spans are found. */
  service: string;
  version?: string | undefined;
  /** Google Cloud project that the spans belong to. */
  project: string | undefined;
  onTrouble: (trouble: ExportTrouble) => void;
  /** How often what has gathered is sent, and how long the collector may take, in milliseconds. */
  everyMs?: number;
  timeoutMs?: number;
}

/** Spans on their way to a collector. */
export interface SpanQueue {
  processor: SpanProcessor;
  resource: Resource;
  /** Send what is left, for `ms` at most. Never rejects. */
  flush(ms: number): Promise<void>;
}

/**
 * A queue of spans to a collector, as OTLP over HTTP in JSON. Loads OpenTelemetry: to be imported only where there is a
 * collector. The queue is bounded, and spans are dropped when the collector is slow or gone: no request ever waits for it.
 */
export function openSpanQueue(options: SpanQueueOptions): SpanQueue {
  const { url, headers, service, version, project, everyMs = 1_000, timeoutMs = 5_000 } = options;
  const sender = new OTLPTraceExporter({ url, headers: { ...headers }, timeoutMillis: timeoutMs });
  const exporter = quietExporter(sender, options.onTrouble);
  const processor = new BatchSpanProcessor({
    exporter,
    scheduledDelayMillis: everyMs,
    exportTimeoutMillis: timeoutMs,
  });
  const resource = resourceFromAttributes({
    "service.name": service,
    ...(version === undefined ? {} : { "service.version": version }),
    ...(project === undefined ? {} : { "gcp.project_id": project }),
  });
  const all = async () => {
    await processor.forceFlush();
    await exporter.forceFlush?.();
  };
  return {
    processor,
    resource,
    flush: (ms) => Promise.race([all().catch(() => undefined), sleep(ms, undefined, { ref: false })]),
  };
}
