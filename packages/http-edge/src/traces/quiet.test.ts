import { SpanStatusCode } from "@opentelemetry/api";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { describe, expect, it, vi } from "vitest";
import { quietExporter } from "./quiet.ts";

describe("a quiet exporter", () => {
  it("sends times, names, codes and known attributes, and nothing that could quote a document", () => {
    const memory = new InMemorySpanExporter();
    const exporter = quietExporter(memory, () => undefined);
    const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
    const span = provider.getTracer("library").startSpan("Transaction.Run", {
      attributes: { doc_count: 3, path: "tenants/SECRET" },
      links: [
        {
          context: { traceId: "1".repeat(32), spanId: "1".repeat(16), traceFlags: 1 },
          attributes: { a: "SECRET" },
        },
      ],
    });
    span.recordException(new Error("No document to update: SECRET"));
    span.addEvent("SECRET");
    span.setStatus({ code: SpanStatusCode.ERROR, message: "SECRET" });
    span.end();
    const [sent] = memory.getFinishedSpans();
    expect(sent).toMatchObject({
      name: "Transaction.Run",
      attributes: { doc_count: 3 },
      status: { code: SpanStatusCode.ERROR },
      events: [],
      links: [],
    });
    expect(sent?.spanContext()).toEqual(span.spanContext());
    const { resource: _, ...rest } = sent ?? {};
    expect(JSON.stringify(rest)).not.toContain("SECRET");
  });

  it("complains at the first failure and then more and more seldom, without the error's words", () => {
    const onTrouble = vi.fn();
    const error = new Error("POST https://collector.example/?key=SECRET");
    const failing = quietExporter(
      { export: (_, done) => done({ code: 1, error }), shutdown: async () => undefined },
      onTrouble,
    );
    const results: unknown[] = [];
    for (let n = 0; n < 10; n += 1) failing.export([], (result) => results.push(result));
    expect(results).toHaveLength(10);
    expect(onTrouble.mock.calls.map(([fields]) => fields.failures)).toEqual([1, 2, 4, 8]);
    expect(JSON.stringify(onTrouble.mock.calls)).not.toContain("SECRET");
  });
});
