import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { edgeServerOptions, HttpEdge, type RefusedHead } from "./edge.ts";
import { defaultEdgeLimits, type EdgeLimits } from "./edge-limits.ts";
import type { EdgeExchange } from "./exchange.ts";
import { listen } from "./listen.ts";

/** More than a kernel holds for one connection. */
const largeBytes = 12_000_000;

/** An edge whose requests answer their own path: `/slow…` after 50 ms, `/never…` not at all, `/large…` with a large body. */
async function edgeOf(limits: Partial<EdgeLimits> = {}) {
  const merged = { ...defaultEdgeLimits, ...limits };
  const server = createServer(edgeServerOptions(merged));
  const refused: RefusedHead[] = [];
  const under = { now: 0, most: 0 };
  const makeExchange = (req: IncomingMessage, res: ServerResponse): EdgeExchange => {
    const state = { begun: false, over: false };
    const answer = () => {
      if (!state.over) res.end(req.url?.startsWith("/large") === true ? "x".repeat(largeBytes) : req.url);
    };
    return {
      get received() {
        return req.complete;
      },
      begin: () => {
        state.begun = true;
        under.now += 1;
        under.most = Math.max(under.most, under.now);
        if (req.url?.startsWith("/slow") === true) setTimeout(answer, 50);
        else if (req.url?.startsWith("/never") !== true) answer();
      },
      breakOff: () => req.socket.destroy(),
      stopReading: () => req.socket.destroy(),
      onFault: () => req.socket.destroy(),
      end: () => {
        if (state.begun && !state.over) under.now -= 1;
        state.over = true;
      },
    };
  };
  const edge = new HttpEdge(server, { makeExchange, onRefused: (r) => refused.push(r) }, merged);
  const port = await listen(server, 0, "127.0.0.1");
  const client = (): { socket: Socket; seen: { text: string; closed: boolean } } => {
    const socket = connect({ port, host: "127.0.0.1" });
    const seen = { text: "", closed: false };
    socket.on("data", (piece) => {
      seen.text += piece.toString("latin1");
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      seen.closed = true;
    });
    return { socket, seen };
  };
  return { edge, refused, under, client };
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const codes = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => Number(code));

describe("an edge", () => {
  it("answers what was pipelined one after the other, in order", async () => {
    const { edge, under, client } = await edgeOf();
    const { socket, seen } = client();
    const paths = Array.from({ length: 30 }, (_, n) => (n % 10 === 0 ? `/slow${n}.` : `/${n}.`));
    socket.write(paths.map(get).join(""));
    await expect.poll(() => codes(seen.text)).toHaveLength(30);
    const at = paths.map((path) => seen.text.indexOf(`\r\n\r\n${path}`));
    expect(at).toEqual(at.toSorted((a, b) => a - b));
    expect(at).not.toContain(-1);
    expect(under.most).toBe(1);
    socket.destroy();
    expect(await edge.drain(0, 1_000)).toBe(0);
  });

  it.each([
    ["an upgrade that is no HTTP", "\x16\x03\x01\x02\x00\x01", [200, 400]],
    ["garbage", "nonsense\r\n\r\n", [200, 400]],
    ["a head that is too large", `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, [200, 431]],
  ])("answers what came first, then refuses %s", async (_name, bytes, expected) => {
    const { edge, refused, client } = await edgeOf({ linger: { ms: 100 } });
    const { socket, seen } = client();
    socket.write(get("/slow"));
    await sleep(10);
    socket.write(Buffer.from(bytes, "latin1"));
    await expect.poll(() => seen.closed).toBe(true);
    expect(codes(seen.text)).toEqual(expected);
    expect(refused).toHaveLength(1);
    expect(await edge.drain(0, 1_000)).toBe(0);
  });

  it("never answers CONNECT out of turn, and lives on when its client resets", async () => {
    const { edge, client } = await edgeOf({ linger: { ms: 100 } });
    const behind = client();
    behind.socket.write(`${get("/slow")}CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n`);
    await expect.poll(() => behind.seen.closed).toBe(true);
    expect(codes(behind.seen.text)).not.toContain(501);
    for (let n = 0; n < 4; n += 1) {
      const { socket } = client();
      socket.write("CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", () => socket.resetAndDestroy());
    }
    const after = client();
    after.socket.write(get("/alive"));
    await expect.poll(() => after.seen.text).toContain("/alive");
    after.socket.destroy();
    await expect.poll(() => edge.sockets.size).toBe(0);
    await edge.drain(0, 1_000);
  });

  it("lets a client read its last answer though it has sent more, which nobody answers", async () => {
    const { edge, client } = await edgeOf({ linger: { ms: 500, bytes: 100_000 } });
    const { socket, seen } = client();
    const last = get("/large").replace("HTTP/1.1\r\n", "HTTP/1.1\r\nConnection: close\r\n");
    // It asks on with each piece that it has read, so that some of it comes after the end of our side.
    socket.on("data", () => socket.write(get("/more")));
    socket.write(last);
    await expect.poll(() => seen.closed, { timeout: 5_000 }).toBe(true);
    const body = seen.text.slice(seen.text.indexOf("\r\n\r\n") + 4);
    expect([codes(seen.text), body.length]).toEqual([[200], largeBytes]);
    await expect.poll(() => edge.sockets.size).toBe(0);
    await edge.drain(0, 1_000);
  });

  it("answers 408 to a head that never ends, and lets its socket go though the client sends on", async () => {
    const { edge, client } = await edgeOf({ headMs: 100, linger: { ms: 100, bytes: 10_000 } });
    const { socket, seen } = client();
    socket.write("GET / HTTP/1.1\r\nHost: a\r\nX: ");
    const drip = setInterval(() => socket.write("x"), 10);
    await expect.poll(() => seen.closed, { timeout: 3_000 }).toBe(true);
    clearInterval(drip);
    expect(codes(seen.text)).toEqual([408]);
    await expect.poll(() => edge.sockets.size).toBe(0);
    await edge.drain(0, 1_000);
  });

  it("ends when what is under way has been answered, and cuts what is left at the deadline", async () => {
    const { edge, client } = await edgeOf();
    const [slow, never, silent] = [client(), client(), client()];
    slow.socket.write(get("/slow"));
    never.socket.write(get("/never"));
    await expect.poll(() => edge.open).toBe(3);
    await sleep(20);
    expect(await edge.drain(0, 1_500)).toBe(1);
    expect(slow.seen.text).toContain("/slow");
    await expect.poll(() => [never.seen, silent.seen].map(({ closed }) => closed)).toEqual([true, true]);
    expect([never.seen.text, silent.seen.text]).toEqual(["", ""]);
  });
});
