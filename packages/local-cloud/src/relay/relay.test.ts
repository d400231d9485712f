import { once } from "node:events";
import { connect as connectH2, createServer as createH2, type Http2Server } from "node:http2";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Relay, startRelay } from "./index.ts";

let backend: Http2Server;
let done: string[];
let relay: Relay;

beforeEach(async () => {
  done = [];
  backend = createH2();
  backend.on("stream", (stream) => {
    const parts: Buffer[] = [];
    stream.on("error", () => undefined);
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("end", () => {
      const body = Buffer.concat(parts).toString();
      done.push(body);
      stream.respond({ ":status": 200 });
      stream.end(`did ${body.length}`);
    });
  });
  relay = await startRelay({ port: 0, target: `127.0.0.1:${await listen(backend)}` });
});

afterEach(async () => {
  await relay.close();
  backend.close();
});

async function listen(server: Server | Http2Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function open() {
  const client = connectH2(`http://${relay.host}`);
  client.on("error", () => undefined);
  return client;
}

/** The reply; rejects with "no reply" when the connection ended without one. */
async function call(client: ReturnType<typeof open>, body: string): Promise<string> {
  const stream = client.request({ ":method": "POST", ":path": "/x" });
  return new Promise((resolve, reject) => {
    let answered = false;
    let text = "";
    stream.on("response", () => {
      answered = true;
    });
    stream.on("data", (part: Buffer) => {
      text += part.toString();
    });
    stream.on("error", () => undefined);
    stream.on("close", () => (answered ? resolve(text) : reject(new Error("no reply"))));
    stream.end(body);
  });
}

describe("a relay", () => {
  it("carries calls both ways, large ones too, and counts them", async () => {
    const client = open();
    const large = "x".repeat(3_000_000);
    expect(await Promise.all([call(client, "one"), call(client, large)])).toEqual(["did 3", "did 3000000"]);
    expect(relay.counters()).toMatchObject({ connections: 1, open: 1, calls: 2, dropped: 0 });
    expect(relay.counters().bytesToServer).toBeGreaterThan(3_000_000);
    client.destroy();
  });

  it("refuses and resets while cut, and serves again on the same port", async () => {
    const client = open();
    await call(client, "one");
    const closed = once(client, "close");
    await relay.cut();
    await closed;
    expect(relay.state).toBe("cut");
    await expect(call(open(), "two")).rejects.toThrow("no reply");
    expect(done).toEqual(["one"]);
    await relay.restore();
    const again = open();
    expect(await call(again, "three")).toBe("did 5");
    again.destroy();
  });

  it("refuses while held, whatever faults come and go, and then as the faults say", async () => {
    await relay.hold();
    expect(relay.state).toBe("held");
    await relay.cut();
    await relay.restore();
    await expect(call(open(), "one")).rejects.toThrow("no reply");
    await Promise.all([relay.release(), relay.restore()]);
    const client = open();
    expect(await call(client, "two")).toBe("did 3");
    client.destroy();

    await relay.cut();
    await relay.hold();
    await relay.release();
    expect(relay.state).toBe("cut");
    await relay.restore();
    expect(relay.state).toBe("open");

    await relay.close();
    await relay.release();
    await expect(call(open(), "three")).rejects.toThrow("no reply");
    expect(done).toEqual(["two"]);
  });

  it("delays every byte without reordering, until told to stop", async () => {
    const client = open();
    await call(client, "warm");
    relay.delay(80);
    const started = performance.now();
    await Promise.all([call(client, "a"), call(client, "bb")]);
    // Timers may fire up to a millisecond early.
    expect(performance.now() - started).toBeGreaterThan(155);
    relay.delay(0);
    const again = performance.now();
    await call(client, "c");
    expect(performance.now() - again).toBeLessThan(80);
    client.destroy();
  });

  it("carries nothing while stalled and loses nothing", async () => {
    const client = open();
    await call(client, "warm");
    relay.stall();
    const reply = call(client, "held");
    const first = await Promise.race([reply, new Promise((r) => setTimeout(r, 100, "silence"))]);
    expect(first).toBe("silence");
    expect(done).toEqual(["warm"]);
    await relay.restore();
    expect(await reply).toBe("did 4");
    client.destroy();
  });

  it("drops the reply of just the matching call, after the server has done it", async () => {
    relay.dropReplies(1, (request) => request.includes("commit ünïque"));
    const client = open();
    expect(await call(client, "begin")).toBe("did 5");
    const body = `${"x".repeat(100_000)}commit ünïque`;
    await expect(call(client, body)).rejects.toThrow("no reply");
    expect(done).toEqual(["begin", body]);
    expect(relay.counters()).toMatchObject({ dropped: 1, connections: 1 });
    const again = open();
    expect(await call(again, body)).toBe(`did ${Buffer.byteLength(body) - 2}`);
    again.destroy();
  });

  it("drops as many replies as it was told to", async () => {
    relay.dropReplies(2);
    await expect(call(open(), "a")).rejects.toThrow("no reply");
    await expect(call(open(), "b")).rejects.toThrow("no reply");
    const client = open();
    expect(await call(client, "c")).toBe("did 1");
    expect(done).toEqual(["a", "b", "c"]);
    client.destroy();
  });

  it("lets other protocols through", async () => {
    const echo = createServer((socket) => socket.pipe(socket));
    const plain = await startRelay({ port: 0, target: `127.0.0.1:${await listen(echo)}` });
    plain.dropReplies(1);
    const socket = connect({ host: "127.0.0.1", port: Number(plain.host.split(":")[1]) });
    socket.end("GET / HTTP/1.1\r\n\r\n");
    let text = "";
    for await (const part of socket) text += String(part);
    expect(text).toBe("GET / HTTP/1.1\r\n\r\n");
    expect(plain.counters()).toMatchObject({ calls: 0, dropped: 0, bytesToClient: 18 });
    await plain.close();
    echo.close();
  });

  it("refuses a target that is not host:port", async () => {
    await expect(startRelay({ port: 0, target: "nowhere" })).rejects.toThrow("host:port");
  });
});
