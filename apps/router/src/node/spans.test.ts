import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { traceOf } from "@proveniq/http-edge";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { emptyRecord, type RequestRecord } from "./log.ts";
import { openSpans } from "./spans.ts";

let collector: Server;
let url: string;
let status = 200;
let bodies: string[];
beforeEach(async () => {
  bodies = [];
  status = 200;
  collector = createServer((req, res) => {
    let body = "";
    req.on("data", (piece: Buffer) => {
      body += piece.toString();
    });
    req.on("end", () => {
      bodies.push(body);
      if (status !== 0) res.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`;
});
afterEach(() => {
  collector.closeAllConnections();
  collector.close();
});

const record = (more: Partial<RequestRecord> = {}): RequestRecord => ({
  ...emptyRecord("GET"),
  requestId: "abcdefgh",
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "1".repeat(16),
  cell: "eu",
  service: "api",
  reason: "placement",
  status: 200,
  attempts: 1,
  totalMs: 12.5,
  ...more,
});
const open = (more: Partial<Parameters<typeof openSpans>[0]> = {}) =>
  openSpans({ url, headers: {}, ratio: 1, project: "p", onTrouble: () => undefined, everyMs: 10, ...more });

describe("spans", () => {
  it("are sent together, as OTLP has them", async () => {
    const spans = open();
    spans.record(record({ parentSpanId: "2".repeat(16) }));
    spans.record(record({ status: 502, problem: "cell-unreachable", tenantId: "carrier-a", host: "secret" }));
    await spans.close();
    expect(bodies).toHaveLength(1);
    expect(bodies[0]).not.toMatch(/carrier-a|secret/);
    const [sent] = JSON.parse(bodies[0] ?? "").resourceSpans;
    const [ok, failed] = sent.scopeSpans[0].spans;
    expect(ok).toMatchObject({
      spanId: "1".repeat(16),
      parentSpanId: "2".repeat(16),
      name: "GET eu-api",
      kind: 2,
      status: {},
    });
    expect(BigInt(ok.endTimeUnixNano) - BigInt(ok.startTimeUnixNano)).toBe(12_500_000n);
    expect(failed).toMatchObject({ status: { code: 2 } });
  });

  it("are not made of what is not recorded, nor of health checks", async () => {
    const spans = open();
    spans.record(record({ spanId: undefined }));
    spans.record(record({ reason: "health" }));
    await spans.close();
    expect(bodies).toEqual([]);
  });

  it("are dropped, with a word about it, when the collector refuses them or is gone", async () => {
    const onTrouble = vi.fn();
    const spans = open({ onTrouble, timeoutMs: 300 });
    status = 400;
    spans.record(record());
    await vi.waitFor(() =>
      expect(onTrouble).toHaveBeenCalledWith({ failures: 1, lost: 1, error: "OTLPExporterError" }),
    );
    collector.closeAllConnections();
    collector.close();
    spans.record(record());
    await vi.waitFor(() => expect(onTrouble).toHaveBeenCalledTimes(2));
    expect(JSON.stringify(onTrouble.mock.calls)).not.toContain("127.0.0.1");
  });

  it("wait behind a collector that hangs, and do not hold up the end", async () => {
    const onTrouble = vi.fn();
    const spans = open({ onTrouble, timeoutMs: 300 });
    status = 0;
    spans.record(record());
    await vi.waitFor(() => expect(bodies).toHaveLength(1));
    for (let n = 0; n < 5_000; n += 1) spans.record(record());
    await vi.waitFor(() => expect(onTrouble).toHaveBeenCalled());
    expect(onTrouble.mock.calls[0]?.[0]).toMatchObject({ failures: 1, lost: 1 });
    const startedAt = performance.now();
    await spans.close();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    // A queue of 2,048, and not one span more.
    const sent = bodies.map((body) => body.split('"spanId"').length - 1);
    expect(sent.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(1 + 2_048);
  });
});

describe("which traces are recorded", () => {
  const given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0";

  it("by the caller's wish, below the caller's span", () => {
    const trace = traceOf(`${given}1`, "a=1", 0);
    expect(trace).toMatchObject({
      recorded: true,
      sampled: true,
      parentSpanId: "00f067aa0ba902b7",
      tracestate: "a=1",
    });
    expect(trace.spanId).not.toBe("00f067aa0ba902b7");
    expect(trace.traceparent).toBe(`00-${trace.traceId}-${trace.spanId}-01`);
    expect(traceOf(`${given}0`, undefined, 1)).toMatchObject({ recorded: false, traceparent: `${given}0` });
  });

  it("by their part, where they begin here", () => {
    const recorded = (ratio: number) =>
      Array.from({ length: 2_000 }, () => traceOf(undefined, undefined, ratio)).filter((t) => t.recorded)
        .length;
    expect([recorded(0), recorded(1)]).toEqual([0, 2_000]);
    expect(Math.abs(recorded(0.25) - 500)).toBeLessThan(150);
  });

  it("none without a collector, whatever the caller wants", () => {
    expect(traceOf(`${given}1`, undefined)).toMatchObject({ recorded: false, traceparent: `${given}1` });
    expect(traceOf(undefined, undefined)).toMatchObject({ recorded: false, sampled: false });
  });

  it("carries no tracestate that is giant", () => {
    expect(traceOf(`${given}1`, `a=${"x".repeat(511)}`).tracestate).toBeUndefined();
  });
});
