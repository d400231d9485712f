import { describe, expect, it } from "vitest";
import type { RequestRecord } from "./log.ts";
import { Metrics, serveMetrics } from "./metrics.ts";

const record = (more: Partial<RequestRecord>): RequestRecord => ({
  requestId: "r",
  traceId: "t",
  spanId: undefined,
  parentSpanId: undefined,
  method: "GET",
  host: "h",
  tenantId: "carrier-a",
  cell: "eu",
  service: "api",
  reason: "placement",
  status: 200,
  problem: undefined,
  failure: undefined,
  attempts: 1,
  totalMs: 4,
  cellMs: 2,
  ...more,
});

describe("Metrics", () => {
  it("counts and measures by cell and reason, and never names a tenant", async () => {
    const metrics = new Metrics([["router_directory_version", "Version.", () => [["", 7]]]]);
    metrics.observe(record({}));
    metrics.observe(record({ totalMs: 40, attempts: 2 }));
    metrics.observe(record({ status: 502, totalMs: 100_000, cellMs: undefined }));
    metrics.observe(record({ cell: undefined, service: "router", reason: "unknown-host", status: 421 }));
    const server = await serveMetrics(metrics, () => ({ version: 7, digest: null }), 0, "127.0.0.1");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const other = await fetch(`http://127.0.0.1:${port}/`);
    server.close();
    const labels = 'cell="eu",service="api",reason="placement"';
    expect(text.split("\n")).toEqual(
      expect.arrayContaining([
        `router_requests_total{${labels},status="200"} 2`,
        `router_requests_total{${labels},status="502"} 1`,
        'router_requests_total{cell="",service="router",reason="unknown-host",status="421"} 1',
        `router_retries_total{${labels}} 1`,
        `router_request_seconds_bucket{${labels},le="0.0025"} 0`,
        `router_request_seconds_bucket{${labels},le="0.005"} 1`,
        `router_request_seconds_bucket{${labels},le="0.05"} 2`,
        `router_request_seconds_bucket{${labels},le="+Inf"} 3`,
        `router_request_seconds_count{${labels}} 3`,
        `router_cell_seconds_count{${labels}} 2`,
        "router_directory_version 7",
      ]),
    );
    expect(text).not.toContain("carrier-a");
    expect(other.status).toBe(404);
  });
});
