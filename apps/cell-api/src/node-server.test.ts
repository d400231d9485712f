import { connect } from "node:net";
import { problem } from "@proveniq/contracts";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { AppEnv } from "./deps.ts";
import { cellEdge } from "./edge-limits.ts";
import { readJson } from "./http/json-body.ts";
import { responseTo } from "./http/problem-response.ts";
import { requestLog } from "./http/request-log.ts";
import { Traffic } from "./http/traffic.ts";
import { silentLogger } from "./log.ts";
import { type RunningServer, serve } from "./node-server.ts";
import { testKeyOf } from "./testing/identity.ts";
import { sendAndReset } from "./testing/raw-client.ts";
import { strandedApp } from "./testing/stranded-app.ts";

let server: RunningServer;
const told: { requestId?: string; traceId?: string }[] = [];
const logger = { ...silentLogger, info: (line: object) => void told.push(line) };
beforeAll(async () => {
  server = await serve(strandedApp({ logger }).app.fetch, { host: "127.0.0.1", port: 0, logger });
});
afterAll(() => server.drain());

/** Send bytes as they are; gives all that comes back until the server closes. */
function exchange(bytes: string, port = server.port): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    let answer = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      answer += chunk;
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", (error) => (answer === "" ? reject(error) : resolve(answer)));
  });
}

const end = "connection: close\r\n\r\n";

describe("the plain server", () => {
  it.each([
    ["a head that is none", "rubbish\r\n\r\n", 400, "invalid-request"],
    [
      "a header line without a name",
      "GET /health HTTP/1.1\r\nhost: a\r\n: b\r\n\r\n",
      400,
      "invalid-request",
    ],
    [
      "two lengths",
      `POST /v1/items HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n${end}`,
      400,
      "invalid-request",
    ],
    [
      "length and chunks",
      `POST /v1/items HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n${end}`,
      400,
      "invalid-request",
    ],
    [
      "headers of 20 KiB",
      `GET /health HTTP/1.1\r\nhost: a\r\nx: ${"x".repeat(20_480)}\r\n${end}`,
      431,
      "headers-too-large",
    ],
    ["no Host", `GET /health HTTP/1.1\r\n${end}`, 400, "invalid-request"],
    ["a Host that is none", `GET /health HTTP/1.1\r\nhost: a b/c\r\n${end}`, 400, "invalid-request"],
    [
      "an unknown expectation",
      `GET /health HTTP/1.1\r\nhost: a\r\nexpect: wonders\r\n${end}`,
      400,
      "invalid-request",
    ],
    ["CONNECT", `CONNECT a:1 HTTP/1.1\r\nhost: a\r\n${end}`, 501, "upgrade-refused"],
    ["TRACE", `TRACE /health HTTP/1.1\r\nhost: a\r\n${end}`, 405, "method-not-allowed"],
    ["an unknown path", `GET /v2 HTTP/1.1\r\nhost: a\r\n${end}`, 404, "not-found"],
    ["dots", `GET /x/../v1/cell HTTP/1.1\r\nhost: a\r\n${end}`, 400, "invalid-request"],
    ["a letter as an escape", `GET /v1/%63ell HTTP/1.1\r\nhost: a\r\n${end}`, 400, "invalid-request"],
    ["a backslash", `GET /v1\\cell HTTP/1.1\r\nhost: a\r\n${end}`, 400, "invalid-request"],
    ["another server's URL", `GET http://b/v1/cell HTTP/1.1\r\nhost: a\r\n${end}`, 400, "invalid-request"],
  ])("%s gets a problem document", async (_, bytes, status, code) => {
    const answer = await exchange(bytes);
    expect(answer.split("\r\n")[0]).toContain(`HTTP/1.1 ${status}`);
    expect(answer.toLowerCase()).toContain("content-type: application/problem+json");
    const body = problem.parse(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4)));
    expect([body.status, body.code]).toEqual([status, code]);
    // Either the server tells of it or the app, and only once.
    const requestId = /^x-request-id: (\S+)/im.exec(answer)?.[1];
    const { traceId } = body;
    expect(told.filter((line) => line.traceId === traceId)).toMatchObject([{ requestId, status }]);
    expect(answer).toMatch(new RegExp(`^traceresponse: 00-${traceId}-[0-9a-f]{16}-00`, "im"));
  });

  it.each([
    ["head", "GET /health HTTP/1.1\r\nhost: a\r\n"],
    ["body", "POST /v1/items HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{"],
  ])("gives up on a %s that does not arrive", async (_, bytes) => {
    const readAll = async (request: Request) => new Response(await request.text());
    const impatient = await serve(readAll, {
      host: "127.0.0.1",
      port: 0,
      edge: cellEdge({ REQUEST_SECONDS: 0.1 }).api,
    });
    const answer = await exchange(bytes, impatient.port);
    expect(answer).toContain("HTTP/1.1 408");
    expect(answer).toContain('"code":"request-timeout"');
    await impatient.drain();
  });

  it("answers a body of 10 MB without reading it all into memory", async () => {
    const response = await fetch(`http://127.0.0.1:${server.port}/v1/items`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${(await testKeyOf("carrier-a")).key}`,
        "x-tenant-id": "carrier-a",
        "content-type": "application/json",
      },
      body: "x".repeat(10_000_000),
    });
    expect(response.status).toBe(421);
    expect(problem.parse(await response.json()).code).toBe("misdirected-request");
  });

  it("logs a client that hangs up in the middle of its body as gone, once, whatever the app makes of it", async () => {
    const lines: { status?: number; reason?: string; requestId?: string }[] = [];
    const log = { ...silentLogger, info: (line: object) => void lines.push(line) };
    const app = new Hono<AppEnv>();
    app.use(requestLog({ logger: log, now: Date.now }, new Traffic(Date.now)));
    app.onError((error) => responseTo(error));
    app.post("/", async (c) => c.json((await readJson(c.req.raw, ["application/json"])).value));
    const reading = await serve(app.fetch, {
      host: "127.0.0.1",
      port: 0,
      edge: cellEdge({ REQUEST_SECONDS: 0.3 }).api,
    });
    const half = (id: string) =>
      `POST / HTTP/1.1\r\nhost: a\r\nx-request-id: ${id}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`;
    await sendAndReset(reading.port, half("reset-in-body"));
    await expect
      .poll(() => lines)
      .toMatchObject([{ requestId: "reset-in-body", status: 499, failure: "client gone" }]);
    expect(await exchange(half("slow-body"), reading.port)).toMatch(
      /^HTTP\/1\.1 408 [\s\S]*x-request-id: slow-body/,
    );
    await expect.poll(() => lines.slice(1)).toMatchObject([{ requestId: "slow-body", status: 408 }]);
    await reading.drain();
  });

  it("logs a client that stopped reading its answer as that, once, and when it ended", async () => {
    const lines: { status?: number; failure?: string; totalMs?: number }[] = [];
    const own = { ...silentLogger, info: (line: object) => void lines.push(line) };
    const app = new Hono<AppEnv>();
    app.use(requestLog({ logger: own, now: Date.now }, new Traffic(Date.now)));
    app.get("/large", (c) => c.body("x".repeat(16 * 1024 * 1024)));
    const edge = cellEdge({ STALLED_READER_SECONDS: 0.3 }).api;
    const large = await serve(app.fetch, { host: "127.0.0.1", port: 0, logger: own, edge });
    const socket = connect(large.port, "127.0.0.1", () =>
      socket.pause().write("GET /large HTTP/1.1\r\nhost: a\r\nx-request-id: stalled-reader\r\n\r\n"),
    );
    socket.on("error", () => undefined);
    await vi.waitFor(() => expect(lines).not.toEqual([]), 5_000);
    socket.destroy();
    await large.drain();
    expect(lines).toMatchObject([
      { requestId: "stalled-reader", status: 499, failure: "client stopped reading" },
    ]);
    expect(lines[0]?.totalMs).toBeGreaterThanOrEqual(300);
  });

  it("keeps a connection for the next request", async () => {
    const one = "GET /health HTTP/1.1\r\nhost: a\r\n";
    const answer = await exchange(`${one}\r\n${one}${end}`);
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  it("serves pipelined requests one after the other, and what is no HTTP after them", async () => {
    const events: string[] = [];
    const slow = async (request: Request) => {
      const { pathname } = new URL(request.url);
      events.push(`begin ${pathname}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      events.push(`end ${pathname}`);
      return new Response(pathname);
    };
    const serial = await serve(slow, { host: "127.0.0.1", port: 0 });
    const bytes = ["/1", "/2", "/3"].map((path) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`).join("");
    const answer = await exchange(`${bytes}garbage\r\n\r\n`, serial.port);
    expect(events).toEqual(["/1", "/2", "/3"].flatMap((path) => [`begin ${path}`, `end ${path}`]));
    expect(answer.match(/HTTP\/1\.1 \d+/g)?.map((line) => line.slice(-3))).toEqual([
      "200",
      "200",
      "200",
      "400",
    ]);
    await serial.drain();
  });

  it("logs each pipelined request that its client no longer waits for", async () => {
    const lines: { requestId?: string; status?: number }[] = [];
    const log = { ...silentLogger, info: (line: object) => void lines.push(line) };
    const never = () => new Promise<Response>(() => undefined);
    const silent = await serve(never, { host: "127.0.0.1", port: 0, logger: log });
    const bytes = ["first-one", "second-one", "third-one"]
      .map((id) => `GET / HTTP/1.1\r\nhost: a\r\nx-request-id: ${id}\r\n\r\n`)
      .join("");
    await sendAndReset(silent.port, bytes);
    // The first is the app's to tell of.
    await expect
      .poll(() => lines)
      .toMatchObject([
        { requestId: "second-one", status: 499 },
        { requestId: "third-one", status: 499 },
      ]);
    await silent.drain();
  });

  it("writes no second answer after one that came before its body", async () => {
    const early = await serve(() => new Response("early"), { host: "127.0.0.1", port: 0 });
    const socket = connect(early.port, "127.0.0.1");
    socket.on("error", () => undefined);
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.write("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
    await expect.poll(() => text).toContain("early");
    socket.write("no chunk\r\n");
    await new Promise((resolve) => socket.once("close", resolve));
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200"]);
    await early.drain();
  });

  it("rejects when the port is taken", async () => {
    const app = strandedApp().app;
    await expect(serve(app.fetch, { host: "127.0.0.1", port: server.port })).rejects.toThrow("EADDRINUSE");
  });

  it("finishes what is under way when it drains, and takes nothing new", async () => {
    let finish = () => {};
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const draining = await serve(
      async () => {
        await slow;
        return new Response("done");
      },
      { host: "127.0.0.1", port: 0 },
    );
    const url = `http://127.0.0.1:${draining.port}/`;
    const answer = fetch(url);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const drained = draining.drain();
    // What had arrived by then would still be answered.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect(fetch(url)).rejects.toThrow("fetch failed");
    finish();
    expect(await (await answer).text()).toBe("done");
    await drained;
  });
});
