import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { trace } from "@opentelemetry/api";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { silentLogger } from "../log.ts";
import { openTelemetry } from "./otel.ts";
import { currentScope } from "./scope.ts";
import type { Tracing } from "./tracing.ts";

const payload = z.object({
  resourceSpans: z.array(
    z.object({
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              name: z.string(),
            }),
          ),
        }),
      ),
    }),
  ),
});
type Sent = z.infer<typeof payload>["resourceSpans"][0]["scopeSpans"][0]["spans"][0];

let collector: Server;
let tracing: Tracing;
const sent: Sent[] = [];
beforeAll(async () => {
  collector = createServer((req, res) => {
    let body = "";
    req.on("data", (piece: Buffer) => {
      body += piece.toString();
    });
    req.on("end", () => {
      const all = payload.parse(JSON.parse(body)).resourceSpans;
      sent.push(...all.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans)));
      res.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`;
  const about = { service: "eu-api", version: "0", project: "p" };
  tracing = openTelemetry({ url, headers: {}, ratio: 1, ...about }, silentLogger);
});
afterAll(() => {
  collector.closeAllConnections();
  collector.close();
});

const facts = {
  method: "GET",
  route: "/x",
  status: 200,
  requestId: "r",
  tenant: undefined,
  problem: undefined,
};
/** What a library does: a span below the current one. */
const look = (name: string) => trace.getTracer("library").startActiveSpan(name, (span) => span.end());
const named = (name: string) => sent.filter((span) => span.name === name);

it("puts the work of a step into the trace that its log lines name", async () => {
  const traceId = await tracing.step(async () => {
    look("a poll without news");
    const inside = await tracing.span("the work", async () => {
      look("below the work");
      return currentScope();
    });
    expect(inside?.traceId).toBe(currentScope()?.traceId);
    expect(inside?.spanId).toMatch(/^[0-9a-f]{16}$/);
    await expect(tracing.span("broken", () => Promise.reject(new Error("x")))).rejects.toThrow("x");
    return inside?.traceId;
  });
  await tracing.flush();
  expect(named("the work")).toMatchObject([{ traceId }]);
  expect(named("below the work")).toMatchObject([{ traceId, parentSpanId: named("the work")[0]?.spanId }]);
  expect(named("broken")).toHaveLength(1);
  expect(named("a poll without news")).toEqual([]);
});

it("begins no trace with what nobody asked for, and none with a probe", async () => {
  look("nobody asked");
  const probe = tracing.begin(undefined, true);
  probe.run("r", () => look("a probe"));
  probe.end({ ...facts, route: "/health" });
  await tracing.flush();
  expect([named("nobody asked"), named("a probe"), named("GET /health")]).toEqual([[], [], []]);
});

it("ends a request's trace with its answer, whatever goes on from it by itself", async () => {
  const request = tracing.begin(undefined, false);
  const late = Promise.withResolvers<void>();
  request.run("r", () => {
    look("in time");
    setTimeout(() => {
      request.end(facts);
      look("too late");
      late.resolve();
    }, 5);
  });
  await late.promise;
  await tracing.flush();
  const [server] = named("GET /x");
  expect(server).toMatchObject({ traceId: request.traceId, spanId: request.spanId });
  expect(named("in time")).toMatchObject([{ traceId: request.traceId, parentSpanId: request.spanId }]);
  expect(named("too late")).toEqual([]);
});
