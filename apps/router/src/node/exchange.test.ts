import { problem } from "@proveniq/contracts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type ScriptedCell, startScriptedCell } from "./conformance/scripted-cell.ts";
import { ask, problemCode } from "./testing/client.ts";
import { type RunningRouter, startRouter } from "./testing/start-router.ts";

let cell: ScriptedCell;
let router: RunningRouter;

beforeAll(async () => {
  cell = await startScriptedCell();
  router = await startRouter({
    consumer: cell.origin,
    "enterprise-a": cell.origin.replace("127.0.0.1", "localhost"),
  });
});
afterEach(() => {
  cell.seen.length = 0;
  router.records.length = 0;
});
afterAll(async () => {
  await router.stop();
  await cell.close();
});

const arrived = (name: string) =>
  cell.seen[0]?.headers
    .filter((line) => line.toLowerCase().startsWith(`${name}:`))
    .map((l) => l.slice(name.length + 2));

describe("what the cell gets", () => {
  it("is the path as it was sent, its own host, the tenant, the client's host and the epoch", async () => {
    await ask(router.port, { path: "/t/carrier-a/v1/items?a=%2Fb&c" });
    expect(cell.seen[0]?.line).toBe("GET /t/carrier-a/v1/items?a=%2Fb&c HTTP/1.1");
    expect(arrived("host")).toEqual([`localhost:${cell.port}`]);
    expect(arrived("x-tenant-id")).toEqual(["carrier-a"]);
    expect(arrived("x-proveniq-host")).toEqual(["api.proveniq.io"]);
    expect(arrived("x-proveniq-epoch")).toEqual(["3"]);
  });

  it("names the default tenant for those who name none, without an epoch", async () => {
    await ask(router.port);
    expect(arrived("x-tenant-id")).toEqual(["consumers"]);
    expect(arrived("x-proveniq-epoch")).toEqual([]);
  });

  it("never is a reserved header from outside, however it is written", async () => {
    await ask(router.port, {
      headers: {
        "X-Proveniq-Epoch": "99",
        "x-proveniq-host": "evil.example",
        x_proveniq_epoch: "98",
        "X-PROVENIQ-ANYTHING": "1",
        "x-tenant-id": "carrier-a",
      },
    });
    expect(arrived("x-proveniq-epoch")).toEqual(["3"]);
    expect(arrived("x-proveniq-host")).toEqual(["api.proveniq.io"]);
    expect(arrived("x-proveniq-anything")).toEqual([]);
    expect(arrived("x_proveniq_epoch")).toEqual([]);
  });

  it("carries the credential unchanged", async () => {
    await ask(router.port, { headers: { authorization: "Bearer pvq_live_carrier-a_k_s" } });
    expect(arrived("authorization")).toEqual(["Bearer pvq_live_carrier-a_k_s"]);
  });
});

describe("request id and trace", () => {
  it("are kept when they are sane", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const reply = await ask(router.port, {
      headers: { "x-request-id": "abc-12345", traceparent, tracestate: "a=1" },
    });
    expect(arrived("x-request-id")).toEqual(["abc-12345"]);
    expect(arrived("traceparent")).toEqual([traceparent]);
    expect(arrived("tracestate")).toEqual(["a=1"]);
    expect(reply.headers["x-request-id"]).toBe("abc-12345");
    expect(router.records[0]?.traceId).toBe("4bf92f3577b34da6a3ce929d0e0e4736");
  });

  it.each([
    ["missing", {}],
    ["malformed", { "x-request-id": 'a b"c', traceparent: "00-zz-1-01", tracestate: "a=1" }],
    [
      "all zeros",
      { "x-request-id": "short", traceparent: `00-${"0".repeat(32)}-00f067aa0ba902b7-01`, tracestate: "a=1" },
    ],
    [
      "twice",
      {
        traceparent: [`00-${"1".repeat(32)}-00f067aa0ba902b7-01`, `00-${"2".repeat(32)}-00f067aa0ba902b7-01`],
        tracestate: "a=1",
      },
    ],
  ])("are made when they are %s", async (_, headers) => {
    const reply = await ask(router.port, { headers });
    expect(arrived("x-request-id")?.[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(arrived("traceparent")?.[0]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(arrived("tracestate")).toEqual([]);
    expect(reply.headers["x-request-id"]).toBe(arrived("x-request-id")?.[0]);
  });
});

describe("what the client gets", () => {
  it("is the cell's answer, without anything reserved, with one request id", async () => {
    cell.script = (_request, socket) =>
      socket.write(
        'HTTP/1.1 201 Made\r\nETag: "1"\r\nX-Proveniq-Epoch: 3\r\nX-Request-Id: other\r\ncontent-length: 2\r\n\r\n{}',
      );
    const reply = await ask(router.port, { method: "POST", body: "{}" });
    expect(reply).toMatchObject({ status: 201, body: "{}", headers: { etag: '"1"' } });
    expect(Object.keys(reply.headers).filter((name) => name.startsWith("x-proveniq"))).toEqual([]);
    expect(reply.headers["x-request-id"]).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    ["an unknown host", { host: "evil.example" }, 421, "misdirected-request"],
    ["an unknown tenant", { headers: { "x-tenant-id": "nobody-here" } }, 421, "misdirected-request"],
    [
      "two tenants",
      { path: "/t/carrier-a/v1", headers: { "x-tenant-id": "small-shop" } },
      400,
      "tenant-conflict",
    ],
    ["a malformed tenant", { headers: { "x-tenant-id": "A" } }, 400, "invalid-tenant"],
    ["an ambiguous path", { path: "/a/../b" }, 400, "invalid-request"],
  ])("is a problem for %s", async (_, options, status, code) => {
    const reply = await ask(router.port, options);
    expect([reply.status, problemCode(reply)]).toEqual([status, code]);
    expect(reply.headers["content-type"]).toBe("application/problem+json");
    expect(reply.headers["cache-control"]).toBe("private, no-store");
    expect(cell.seen).toHaveLength(0);
    const { traceId } = problem.parse(JSON.parse(reply.body));
    expect(router.records[0]).toMatchObject({ traceId, problem: code });
    expect(reply.headers["traceresponse"]).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`));
  });

  it("does not tell an unknown tenant from one of another host, but for the request id", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    const [unknown, foreign] = await Promise.all(
      ["nobody-here", "atelier-nord"].map((id) =>
        ask(router.port, { headers: { "x-tenant-id": id, traceparent } }),
      ),
    );
    const shown = (reply: typeof unknown) => ({
      ...reply,
      headers: { ...reply?.headers, "x-request-id": "", date: "" },
    });
    expect(shown(foreign)).toEqual(shown(unknown));
  });

  it("is the router's own health on any host", async () => {
    const reply = await ask(router.port, { path: "/health", host: "10.0.0.1" });
    expect([reply.status, JSON.parse(reply.body)]).toEqual([200, { status: "alive", directoryVersion: 7 }]);
  });
});

describe("a method that the router itself refuses", () => {
  it.each([
    ["TRACE", "/v1/items", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"],
    ["TRACE", "/health", "GET, HEAD"],
    ["POST", "/health", "GET, HEAD"],
    ["DELETE", "/health?x", "GET, HEAD"],
    ["OPTIONS", "/health", "GET, HEAD"],
  ])("%s %s is told what there is instead", async (method, path, allow) => {
    const reply = await ask(router.port, { method, path });
    expect([reply.status, reply.headers.allow, problemCode(reply)]).toEqual([
      405,
      allow,
      "method-not-allowed",
    ]);
    expect(cell.seen).toEqual([]);
  });

  it("is none that only asks for the head", async () => {
    const reply = await ask(router.port, { method: "HEAD", path: "/health" });
    expect([reply.status, reply.body]).toEqual([200, ""]);
  });
});

describe("what is recorded", () => {
  it("is one record a request, with cell, reason and durations", async () => {
    cell.script = (_request, socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    await ask(router.port, { path: "/t/carrier-a/v1/imports/i1", headers: { "x-request-id": "abcdefgh" } });
    expect(router.records).toEqual([
      {
        requestId: "abcdefgh",
        traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
        spanId: undefined,
        parentSpanId: undefined,
        method: "GET",
        host: "api.proveniq.io",
        tenantId: "carrier-a",
        cell: "enterprise-a",
        service: "bulk",
        reason: "placement",
        status: 200,
        problem: undefined,
        failure: undefined,
        attempts: 1,
        totalMs: expect.any(Number),
        cellMs: expect.any(Number),
      },
    ]);
  });
});
