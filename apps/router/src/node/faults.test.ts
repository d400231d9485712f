import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { exchangeRaw, statusesIn } from "./conformance/raw-client.ts";
import { plainAnswer, type ScriptedCell, startScriptedCell } from "./conformance/scripted-cell.ts";
import { ask, problemCode } from "./testing/client.ts";
import { type RouterOptions, type RunningRouter, startRouter } from "./testing/start-router.ts";

let cell: ScriptedCell;
let other: ScriptedCell;
let router: RunningRouter;
const start = async (options: RouterOptions = {}) => {
  router = await startRouter({ consumer: cell.origin, "enterprise-a": other.origin }, options);
  return router;
};

beforeEach(async () => {
  [cell, other] = await Promise.all([startScriptedCell(), startScriptedCell()]);
});
afterEach(async () => {
  await router.stop();
  await Promise.all([cell.close(), other.close()]);
});

describe("a cell that is down", () => {
  it("answers 502, says to come again, and leaves the other cells alone", async () => {
    await start();
    await cell.close();
    const [ill, well] = await Promise.all([
      ask(router.port),
      ask(router.port, { headers: { "x-tenant-id": "carrier-a" } }),
    ]);
    expect([ill.status, problemCode(ill)]).toEqual([502, "cell-unreachable"]);
    expect(ill.headers["retry-after"]).toBe("2");
    expect(well.status).toBe(200);
    expect(router.records).toContainEqual(expect.objectContaining({ status: 502, cell: "consumer" }));
  });

  it("answers 502 when it closes without a word, and a POST is not sent again", async () => {
    await start();
    cell.script = (_request, socket) => socket.destroy();
    const reply = await ask(router.port, { method: "POST", body: "{}" });
    expect([reply.status, problemCode(reply)]).toEqual([502, "cell-unreachable"]);
    expect(cell.seen).toHaveLength(1);
  });

  it("does not use up the router: requests beyond the bound are refused at once", async () => {
    await start({ upstream: { maxConnections: 2 } });
    cell.script = () => undefined;
    const held = [ask(router.port), ask(router.port)].map((r) => r.catch(() => undefined));
    await vi.waitFor(() => expect(cell.seen).toHaveLength(2));
    const refused = await ask(router.port);
    expect([refused.status, problemCode(refused)]).toEqual([503, "cell-busy"]);
    expect(refused.headers["retry-after"]).toBe("1");
    expect((await ask(router.port, { headers: { "x-tenant-id": "carrier-a" } })).status).toBe(200);
    await cell.close();
    await Promise.all(held);
  });
});

describe("a slow cell", () => {
  it("answers 504 when nothing comes, and its connection is closed", async () => {
    await start({ upstream: { firstByteMs: 60 } });
    cell.script = () => undefined;
    const reply = await ask(router.port);
    expect([reply.status, problemCode(reply)]).toEqual([504, "cell-timeout"]);
    await vi.waitFor(() => expect(cell.open()).toBe(0));
  });

  it("breaks the answer off when it stops in the middle", async () => {
    await start({ upstream: { idleMs: 60 } });
    cell.script = (_request, socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
    const reply = await ask(router.port);
    expect(reply).toMatchObject({ status: 200, body: "abc", truncated: true });
  });

  it("has the time it needs while it goes on", async () => {
    await start({ upstream: { firstByteMs: 80, idleMs: 80 } });
    const trickle = async (socket: Socket) => {
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n");
      for (const c of "complete") {
        await sleep(25);
        socket.write(c);
      }
    };
    cell.script = (_request, socket) => void trickle(socket);
    expect(await ask(router.port)).toMatchObject({ status: 200, body: "complete", truncated: false });
  });
});

describe("a cell that resets in the middle of its answer", () => {
  it.each([
    ["with a length", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"],
    ["in chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"],
  ])("leaves the client in no doubt, %s", async (_, answer) => {
    await start();
    cell.script = (_request, socket) => {
      socket.write(answer);
      setTimeout(() => socket.resetAndDestroy(), 20);
    };
    expect(await ask(router.port)).toMatchObject({ status: 200, body: "abc", truncated: true });
    expect(cell.seen).toHaveLength(1);
    const old = connect({ port: router.port, host: "127.0.0.1" });
    old.write("GET /v1/items HTTP/1.0\r\nHost: api.proveniq.io\r\n\r\n");
    // To HTTP/1.0 the end of a connection may be the end of an answer.
    await expect(once(old.resume(), "end")).rejects.toThrow("ECONNRESET");
  });
});

describe("a client that goes away", () => {
  it("has its request at the cell aborted", async () => {
    await start();
    cell.script = () => undefined;
    const req = request({ port: router.port, host: "127.0.0.1", headers: { host: "api.proveniq.io" } });
    req.on("error", () => undefined);
    req.end();
    await vi.waitFor(() => expect(cell.seen).toHaveLength(1));
    req.destroy();
    await vi.waitFor(() => expect(cell.open()).toBe(0));
    await vi.waitFor(() => expect(router.records).toContainEqual(expect.objectContaining({ status: 499 })));
  });

  it("in the middle of a long upload too", async () => {
    await start();
    const req = request({
      port: router.port,
      host: "127.0.0.1",
      method: "PUT",
      headers: { host: "api.proveniq.io", "content-length": 1_000_000 },
    });
    req.on("error", () => undefined);
    req.write(Buffer.alloc(200_000));
    await vi.waitFor(() => expect(cell.open()).toBe(1));
    req.destroy();
    await vi.waitFor(() => expect(cell.open()).toBe(0));
  });

  it("while its pipelined requests wait for one another", async () => {
    await start();
    cell.script = () => undefined;
    const one = "GET /v1/items HTTP/1.1\r\nHost: api.proveniq.io\r\n\r\n";
    await exchangeRaw(router.port, [one + one + one], { quietMs: 40 });
    await vi.waitFor(() => expect(cell.open()).toBe(0));
    await vi.waitFor(() => expect(router.records).toHaveLength(3));
  });

  it("that stops sending its body is told 408, and nothing reaches the cell", async () => {
    await start({ body: { idleMs: 60 } });
    const head = "POST /v1/items HTTP/1.1\r\nHost: api.proveniq.io\r\nContent-Length: 10\r\n\r\n";
    const reply = await exchangeRaw(router.port, [head, "abc"], { quietMs: 500 });
    expect([statusesIn(reply.text), reply.closed]).toEqual([[408], true]);
    expect(cell.seen).toHaveLength(0);
  });

  it("that stops in the middle of a long body is told 408", async () => {
    await start({ upstream: { idleMs: 60 } });
    const head = "POST /v1/items HTTP/1.1\r\nHost: api.proveniq.io\r\nContent-Length: 100000\r\n\r\n";
    const reply = await exchangeRaw(router.port, [head, "a".repeat(70_000)], { quietMs: 500 });
    expect(statusesIn(reply.text)).toEqual([408]);
    await vi.waitFor(() => expect(cell.open()).toBe(0));
  });

  it("that never ends its head is told 408", async () => {
    await start({ server: { headMs: 100 } });
    const reply = await exchangeRaw(router.port, ["GET /v1/items HTTP/1.1\r\nHost:"], { quietMs: 1_000 });
    expect(statusesIn(reply.text)).toEqual([408]);
  });
});

describe("a kept connection that the cell has closed", () => {
  /** Answer the first request, close on the second. */
  const closeOnSecond = () => {
    const perConnection = new Map<number, number>();
    cell.script = (request, socket) => {
      const n = (perConnection.get(request.connection) ?? 0) + 1;
      perConnection.set(request.connection, n);
      if (n === 1) socket.write(plainAnswer);
      else socket.resetAndDestroy();
    };
  };

  it("costs a GET nothing: it is sent again on another", async () => {
    await start();
    closeOnSecond();
    expect((await ask(router.port)).status).toBe(200);
    expect((await ask(router.port)).status).toBe(200);
    expect(cell.accepted()).toBe(2);
    expect(router.records[1]).toMatchObject({ attempts: 2, status: 200 });
  });

  it("is never made up for by sending a POST twice", async () => {
    await start();
    closeOnSecond();
    await ask(router.port);
    expect((await ask(router.port, { method: "POST", body: "{}" })).status).toBe(502);
    expect(cell.seen).toHaveLength(2);
  });

  it("is not used at all when the close was seen in time", async () => {
    await start();
    cell.script = (_request, socket) => {
      socket.write(plainAnswer);
      setTimeout(() => socket.end(), 5);
    };
    await ask(router.port);
    await vi.waitFor(() => expect(cell.open()).toBe(0));
    expect((await ask(router.port, { method: "POST", body: "{}" })).status).toBe(200);
  });

  it("is closed by the router a second before the cell would", async () => {
    await start({ upstream: { connectMs: 100 } });
    cell.script = (_request, socket) =>
      socket.write(plainAnswer.replace("\r\n\r\n", "\r\nKeep-Alive: timeout=1\r\n\r\n"));
    await ask(router.port);
    expect(cell.open()).toBe(1);
    await vi.waitFor(() => expect(cell.open()).toBe(0), { timeout: 2_000 });
  });
});

describe("a body that is too large", () => {
  it("is refused unread when it says so", async () => {
    await start({ body: { maxBytes: 100_000 } });
    const reply = await ask(router.port, { method: "PUT", body: Buffer.alloc(150_000) });
    expect([reply.status, problemCode(reply)]).toEqual([413, "payload-too-large"]);
    expect(cell.accepted()).toBe(0);
  });

  it("is broken off when it does not say so", async () => {
    await start({ body: { maxBytes: 100_000 } });
    const reply = await ask(router.port, {
      method: "PUT",
      headers: { "transfer-encoding": "chunked" },
      body: Buffer.alloc(150_000),
    });
    expect(reply.status).toBe(413);
    await vi.waitFor(() => expect(cell.open()).toBe(0));
    expect(cell.seen).toHaveLength(0);
  });

  it("is not asked for when the client waits for leave to send it", async () => {
    await start({ body: { maxBytes: 100 } });
    const head =
      "PUT /v1/items HTTP/1.1\r\nHost: api.proveniq.io\r\nContent-Length: 150\r\nExpect: 100-continue\r\n\r\n";
    const reply = await exchangeRaw(router.port, [head]);
    expect(reply.text.startsWith("HTTP/1.1 413 ")).toBe(true);
    expect(reply.closed).toBe(true);
  });

  it("does not matter in an answer: 20 MB pass with backpressure", async () => {
    await start();
    const body = Buffer.alloc(20_000_000, "x");
    cell.script = (_request, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`);
      socket.write(body);
    };
    expect((await ask(router.port)).body.length).toBe(body.length);
  });
});

describe("draining", () => {
  it("finishes what is under way, closes kept connections with their next answer, and then ends", async () => {
    await start();
    cell.script = (_request, socket) => void setTimeout(() => socket.write(plainAnswer), 60);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await ask(router.port, { agent });
    const under = ask(router.port, { agent });
    await sleep(20);
    const drained = router.server.drain(200, 5_000);
    const late = ask(router.port, { agent });
    const replies = await Promise.all([under, late]);
    expect(replies.map((r) => [r.status, r.headers.connection])).toEqual([
      [200, "close"],
      [200, "close"],
    ]);
    await sleep(250);
    // Once the grace time is over, nobody listens any more.
    await expect(ask(router.port)).rejects.toThrow("ECONNREFUSED");
    expect(await drained).toBe(0);
  });

  it("answers a request that arrives on a kept connection during the grace time", async () => {
    await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await ask(router.port, { agent });
    const drained = router.server.drain(300, 5_000);
    const reply = await ask(router.port, { agent });
    expect([reply.status, reply.headers.connection]).toEqual([200, "close"]);
    expect(await drained).toBe(0);
  });

  it("cuts what does not end, and says how much it was", async () => {
    await start();
    cell.script = () => undefined;
    const hanging = ask(router.port).catch(() => "cut");
    await vi.waitFor(() => expect(cell.seen).toHaveLength(1));
    expect(await router.server.drain(0, 100)).toBe(1);
    expect(await hanging).toBe("cut");
  });
});
