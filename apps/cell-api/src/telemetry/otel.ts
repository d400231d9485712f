import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { TracerProvider } from "@opentelemetry/sdk-trace";
import { randomHex, type TraceExport, type TraceParent } from "@proveniq/contracts";
import { openSpanQueue } from "@proveniq/http-edge/traces";
import type { Logger } from "../log.ts";
import { beginning, samplingOf } from "./sampling.ts";
import { currentScope, within } from "./scope.ts";
import { type RequestFacts, type Tracing, untraced } from "./tracing.ts";

export interface OpenTelemetryOptions extends TraceExport {
  /** Under which name its spans are found. */
  service: string;
  version: string;
  /** Google Cloud project that the spans belong to. */
  project: string;
}

const flushMs = 2_000;

/**
 * Tracing by OpenTelemetry, for this whole process: Firestore's client finds it by itself and adds its spans. Spans wait in
 * a queue of bounded length, and are dropped when the collector is slow or gone: no request ever waits for it.
 */
export function openTelemetry(options: OpenTelemetryOptions, logger: Logger): Tracing {
  const queue = openSpanQueue({
    ...options,
    onTrouble: (trouble) => logger.warn(trouble, "the collector does not take traces"),
  });
  const provider = new TracerProvider({
    resource: queue.resource,
    sampler: samplingOf(options.ratio),
    // What begins in a scope is the trace that its log lines name.
    idGenerator: {
      generateTraceId: () => currentScope()?.traceId ?? randomHex(16),
      generateSpanId: () => randomHex(8),
    },
    spanProcessors: [queue.processor],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  const tracer = provider.getTracer("proveniq-cell");

  return {
    begin: (caller, probe) => {
      if (probe && caller?.sampled !== true) return untraced.begin(caller, probe);
      const outside = caller === undefined ? beginning(ROOT_CONTEXT) : remote(caller);
      const traceId = caller?.traceId ?? randomHex(16);
      const span = within({ traceId }, () => tracer.startSpan("request", { kind: SpanKind.SERVER }, outside));
      const { spanId } = span.spanContext();
      const sampled = span.isRecording();
      return {
        traceId,
        spanId,
        sampled,
        run: (requestId, work) =>
          within({ traceId, requestId, ...(sampled ? { spanId } : {}) }, () =>
            context.with(trace.setSpan(outside, span), work),
          ),
        end: (facts) => {
          span.updateName(`${facts.method} ${facts.route}`);
          span.setAttributes(attributesOf(facts));
          if (facts.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    step: (work) => untraced.step(work),
    span: (name, work) =>
      tracer.startActiveSpan(name, {}, beginning(ROOT_CONTEXT), async (span) => {
        const { traceId, spanId } = span.spanContext();
        try {
          return await within({ traceId, ...(span.isRecording() ? { spanId } : {}) }, work);
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR });
          throw error;
        } finally {
          span.end();
        }
      }),
    flush: () => queue.flush(flushMs),
  };
}

function remote({ traceId, spanId, sampled }: TraceParent) {
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function attributesOf({ method, route, status, requestId, tenant, problem }: RequestFacts) {
  return {
    "http.request.method": method,
    "http.route": route,
    "http.response.status_code": status,
    "proveniq.request_id": requestId,
    ...(tenant === undefined ? {} : { "proveniq.tenant": tenant }),
    ...(problem === undefined ? {} : { "proveniq.problem": problem }),
  };
}
