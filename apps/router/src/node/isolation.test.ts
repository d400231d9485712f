import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { exchangeRaw, statusesIn } from "./conformance/raw-client.ts";
import { plainAnswer, type ScriptedCell, startScriptedCell } from "./conformance/scripted-cell.ts";
import { ask, problemCode } from "./testing/client.ts";
import { type RouterOptions, type RunningRouter, startRouter } from "./testing/start-router.ts";

// What one client or one cell does, and what another client sees of it at the same time: nothing.

const host = "Host: api.proveniq.io\r\n";
const get = `GET /v1/items HTTP/1.1\r\n${host}`;
const post = `POST /v1/items HTTP/1.1\r\n${host}`;

let cell: ScriptedCell;
let other: ScriptedCell;
let router: RunningRouter;
const start = async (options: RouterOptions = {}) => {
  router = await startRouter({ consumer: cell.origin, "enterprise-a": other.origin }, options);
};
beforeEach(async () => {
  [cell, other] = await Promise.all([startScriptedCell(), startScriptedCell()]);
});
afterEach(async () => {
  await router.stop();
  await Promise.all([cell.close(), other.close()]);
  if (router.faults.length > 0) throw new Error("the router's own code threw", { cause: router.faults[0] });
});

/** Open a connection and write to it; what comes back is collected in `text`. */
function open(...pieces: string[]): { socket: Socket; text: () => string } {
  let text = "";
  const socket = connect({ port: router.port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => undefined);
  socket.on("data", (piece: Buffer) => {
    text += piece.toString("latin1");
  });
  for (const piece of pieces) socket.write(piece, "latin1");
  return { socket, text: () => text };
}
const reset = (socket: Socket) => socket.resetAndDestroy();
const someoneElse = () => ask(router.port, { headers: { "x-tenant-id": "carrier-a" } });
const afterMs = (ms: number) => {
  cell.script = (_request, socket) => void setTimeout(() => socket.write(plainAnswer), ms);
};

describe("a client that asks for an upgrade and leaves", () => {
  it.each([
    ["Upgrade", `${get}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`],
    ["CONNECT", "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n"],
    ["a broken head", "GET /\x01 HTTP/1.1\r\n\r\n"],
  ])("harms nobody: %s, then a reset", async (_, head) => {
    await start();
    for (let n = 0; n < 4; n += 1) {
      const { socket } = open(head);
      await sleep(n * 2);
      reset(socket);
      expect((await someoneElse()).status).toBe(200);
    }
    await vi.waitFor(() => expect(router.server.clients()).toBe(0));
  });

  it.each([
    ["Upgrade", `${get}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`, [200, 501]],
    ["CONNECT", "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", []],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [200, 400]],
    ["garbage", "nonsense\r\n\r\n", [200, 400]],
  ])("gets the answer to what it asked before first, or none: %s", async (_, next, statuses) => {
    await start();
    afterMs(40);
    const reply = await exchangeRaw(router.port, [`${get}\r\n${next}`], { quietMs: 300 });
    expect([statusesIn(reply.text), reply.closed]).toEqual([statuses, true]);
  });

  it("is let go of after its answer, though it goes on sending, and does not hold up the end", async () => {
    await start({ server: { linger: { ms: 150 } } });
    const silent = open("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n");
    const sending = open("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n");
    const timer = setInterval(() => sending.socket.write("more"), 10);
    await vi.waitFor(() => expect(statusesIn(silent.text() + sending.text())).toEqual([501, 501]));
    const startedAt = performance.now();
    expect(await router.server.drain(0, 5_000)).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    clearInterval(timer);
  });
});

describe("one upstream connection, two clients", () => {
  it("whoever leaves just after its answer does not take the next one's", async () => {
    await start({ upstream: { maxConnections: 1 } });
    let wrong = 0;
    for (let n = 0; n < 300; n += 1) {
      const first = open(`${get}\r\n`);
      await new Promise((resolve) => first.socket.once("data", resolve));
      const second = ask(router.port);
      reset(first.socket);
      const reply = await second;
      if (reply.status !== 200 || reply.body !== '{"ok":true}') wrong += 1;
    }
    expect(wrong).toBe(0);
    expect(router.records.every((r) => r.status === 200 || r.failure === "client gone")).toBe(true);
  });

  it("not even when the answer ended before the request had", async () => {
    await start();
    cell.script = (_request, socket) => socket.write(plainAnswer);
    const early = open(`${post}Content-Length: 1000000\r\n\r\n`, "a".repeat(100_000));
    await vi.waitFor(() => expect(cell.open()).toBe(1));
    reset(early.socket);
    expect((await ask(router.port)).status).toBe(200);
  });
});

describe("a cell whose answer holds a control byte", () => {
  it.each([
    ["in the reason", "HTTP/1.1 200 O\x01K\r\nContent-Length: 2\r\n\r\nab"],
    ["VT in the reason", "HTTP/1.1 200 O\x0bK\r\nContent-Length: 2\r\n\r\nab"],
    ["in a header", "HTTP/1.1 200 OK\r\nX-A: a\x7fb\r\nContent-Length: 2\r\n\r\nab"],
    ["in a header, NUL", "HTTP/1.1 200 OK\r\nX-A: a\x00b\r\nContent-Length: 2\r\n\r\nab"],
  ])("is answered 502 for that request alone: %s", async (_, answer) => {
    await start();
    cell.script = (_request, socket) => socket.write(answer, "latin1");
    const [ill, well] = await Promise.all([ask(router.port), someoneElse()]);
    expect([ill.status, problemCode(ill), well.status]).toEqual([502, "cell-unreachable", 200]);
  });

  it("tab and letters beyond ASCII pass", async () => {
    await start();
    cell.script = (_request, socket) =>
      socket.write("HTTP/1.1 200 Gr\xfc\xdfe\r\nX-A: a\tb\xe9\r\nContent-Length: 2\r\n\r\nab", "latin1");
    expect(await ask(router.port)).toMatchObject({ status: 200, headers: { "x-a": "a\tb\xe9" } });
  });
});

describe("requests that a client sends all at once", () => {
  it("are dealt with one after the other, and nobody else waits", async () => {
    await start();
    afterMs(5);
    let most = 0;
    const count = setInterval(() => {
      most = Math.max(most, router.pools.counts().get(cell.origin)?.open ?? 0);
    }, 1);
    const many = open(`${get}\r\n`.repeat(200));
    const times: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      const startedAt = performance.now();
      expect((await someoneElse()).status).toBe(200);
      times.push(performance.now() - startedAt);
    }
    await vi.waitFor(() => expect(statusesIn(many.text())).toHaveLength(200), { timeout: 10_000 });
    clearInterval(count);
    expect(most).toBe(1);
    expect(times.toSorted((a, b) => a - b)[10]).toBeLessThan(50);
    many.socket.destroy();
  });

  it("end, on both sides, when the answer to a later one is broken", async () => {
    await start();
    let n = 0;
    cell.script = (_request, socket) => {
      n += 1;
      if (n === 1) setTimeout(() => socket.write(plainAnswer), 30);
      else socket.end("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc");
    };
    const reply = await exchangeRaw(router.port, [`${get}\r\n${get}\r\n${get}\r\n`], { quietMs: 1_000 });
    expect([statusesIn(reply.text), reply.closed]).toEqual([[200, 200], true]);
    await vi.waitFor(() => expect(cell.open()).toBe(0));
    expect(router.records).toHaveLength(3);
  });

  it("may be so many and no more, everywhere together", async () => {
    await start({ server: { maxWaiting: 100 } });
    cell.script = () => undefined;
    const reply = await exchangeRaw(router.port, [`${get}\r\n`.repeat(150)], { quietMs: 1_000 });
    expect([reply.text, reply.closed]).toEqual(["", true]);
    expect((await someoneElse()).status).toBe(200);
  });
});

describe("bodies that drip", () => {
  it("take no connection to a cell before enough of them is here", async () => {
    await start({ upstream: { maxConnections: 4 } });
    const drips = Array.from({ length: 20 }, () =>
      open(`${post}Content-Length: 70000\r\n\r\n`, "x".repeat(10)),
    );
    await vi.waitFor(() => expect(router.server.clients()).toBe(20));
    expect(cell.accepted()).toBe(0);
    expect((await ask(router.port)).status).toBe(200);
    for (const { socket } of drips) socket.destroy();
  });

  it("of one tenant leave room for all others, and the one over its share is told so", async () => {
    await start({ upstream: { maxConnections: 40, tenantFloor: 2 } });
    const slow = `${post}X-Tenant-ID: consumers\r\nContent-Length: 100000\r\n\r\n${"x".repeat(66_000)}`;
    const drips = Array.from({ length: 40 }, () => open(slow));
    await vi.waitFor(() => {
      const refused = drips.filter(({ text }) => text().startsWith("HTTP/1.1 503 "));
      expect(refused).toHaveLength(20);
      expect(refused.every(({ text }) => /"cell-busy"/.test(text()) && /retry-after: 1/.test(text()))).toBe(
        true,
      );
    });
    const others = await Promise.all(
      Array.from({ length: 9 }, () => ask(router.port, { headers: { "x-tenant-id": "small-shop" } })),
    );
    expect(others.map((r) => r.status)).toEqual(others.map(() => 200));
    for (const { socket } of drips) socket.destroy();
    await vi.waitFor(async () => expect((await ask(router.port)).status).toBe(200));
  });
});

describe("an upload that is refused while it is still sent", () => {
  it("goes on being read, so that the client can read why", async () => {
    await start({ body: { maxBytes: 1_000_000 } });
    const upload = open(`${post}Transfer-Encoding: chunked\r\nX-Tenant-ID: nobody\r\n\r\n`);
    for (let n = 0; n < 20; n += 1) {
      upload.socket.write(`4000\r\n${"x".repeat(0x4000)}\r\n`);
      await sleep(5);
    }
    expect(statusesIn(upload.text())).toEqual([421]);
    upload.socket.write(`0\r\n\r\n${get}\r\n`);
    await vi.waitFor(() => expect(statusesIn(upload.text())).toEqual([421, 200]));
    upload.socket.destroy();
  });

  it("and is cut off in the end", async () => {
    await start({ body: { discardMs: 100 } });
    const upload = open(`${post}Content-Length: 100000\r\nX-Tenant-ID: nobody\r\n\r\n`);
    await vi.waitFor(() => expect(statusesIn(upload.text())).toEqual([421]));
    await vi.waitFor(() => expect(router.server.clients()).toBe(0));
  });
});

describe("what is recorded of a client that resets in the middle of its body", () => {
  it.each([
    ["with a length", "Content-Length: 100\r\n\r\nabc"],
    ["in chunks", "Transfer-Encoding: chunked\r\n\r\n5\r\nab"],
  ])("is that, and nothing about the body: %s", async (_, body) => {
    await start();
    const { socket } = open(`${post}${body}`);
    await vi.waitFor(() => expect(router.server.clients()).toBe(1));
    await sleep(20);
    reset(socket);
    await vi.waitFor(() => expect(router.records).toMatchObject([{ status: 499, failure: "client gone" }]));
  });

  it("a body that is no HTTP is refused as that", async () => {
    await start();
    const reply = await exchangeRaw(router.port, [`${post}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`]);
    expect([statusesIn(reply.text), reply.closed]).toEqual([[400], true]);
    expect(router.records).toMatchObject([{ status: 400, failure: "malformed body" }]);
  });
});

describe("many clients", () => {
  it("that are silent make room for those that ask", async () => {
    await start({ server: { maxClients: 10 } });
    const silent = Array.from({ length: 30 }, () => open("GET /v1"));
    await vi.waitFor(() =>
      expect(silent.filter(({ socket }) => socket.readyState === "open")).not.toHaveLength(0),
    );
    expect((await someoneElse()).status).toBe(200);
    expect(router.server.clients()).toBeLessThanOrEqual(10);
    expect(router.shortages.length).toBeGreaterThan(0);
    for (const { socket } of silent) socket.destroy();
  });
});

describe("an answer that its client reads slowly", () => {
  const large = 24_000_000;
  const answerLarge = () => {
    cell.script = (_request, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${large}\r\n\r\n`);
      socket.write(Buffer.alloc(large, "x"));
    };
  };

  it("is ended when the client never reads", async () => {
    await start({ server: { stalledReaderMs: 300 }, upstream: { idleMs: 100 } });
    answerLarge();
    const client = open();
    client.socket.pause();
    client.socket.write(`${get}\r\n`);
    await vi.waitFor(
      () => expect(router.records).toMatchObject([{ status: 499, failure: "client stopped reading" }]),
      { timeout: 5_000 },
    );
    expect((await someoneElse()).status).toBe(200);
  });

  it("is served as long as the client reads, however long the cell has to wait", async () => {
    await start({ server: { stalledReaderMs: 1_000 }, upstream: { idleMs: 700 } });
    answerLarge();
    let read = 0;
    const socket = connect({ port: router.port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    socket.on("data", (piece: Buffer) => {
      read += piece.length;
      socket.pause();
      setTimeout(() => socket.resume(), 40);
    });
    socket.write(`${get}\r\n`);
    await sleep(2_000);
    expect(router.records).toEqual([]);
    socket.removeAllListeners("data");
    socket.on("data", (piece: Buffer) => {
      read += piece.length;
    });
    socket.resume();
    await vi.waitFor(() => expect(read).toBeGreaterThan(large), { timeout: 5_000 });
    socket.destroy();
    await vi.waitFor(() => expect(router.records).toMatchObject([{ status: 200, failure: undefined }]));
  });
});
