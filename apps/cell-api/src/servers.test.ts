import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildArtefact } from "../build.ts";
import { type CellProcess, startCell } from "./testing/cell-process.ts";
import { exchangeRaw, open, sendAndReset, statusesIn } from "./testing/raw-client.ts";

/** What comes in on a socket, and what must come of it, at both servers that a cell runs on. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cell-servers-"));
  await buildArtefact(fileURLToPath(new URL("../../..", import.meta.url)), folder);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const head = (line: string, ...more: string[]) => [line, "host: cell", ...more].join("\r\n");
const end = "\r\n\r\n";
const get = (path: string, ...more: string[]) =>
  head(`GET ${path} HTTP/1.1`, ...more, "connection: close") + end;
const post = (...more: string[]) =>
  head("POST /v1/items HTTP/1.1", "x-tenant-id: carrier-a", "content-type: application/json", ...more) + end;

describe.each(["plain", "functions"] as const)("the %s server of a cell", (kind) => {
  let cell: CellProcess;
  beforeAll(async () => {
    cell = await startCell(join(folder, "artefact"), kind);
  }, 30_000);
  afterAll(() => cell.stop());

  /** Another client's request gets its own answer, from the same process. */
  const answersOthers = async () => {
    const { text } = await exchangeRaw(cell.port, get("/health"));
    return statusesIn(text)[0] === 200 && cell.process.exitCode === null;
  };
  /** What it has printed since, once a line with this text is there. */
  const printedAfter = async (before: number, text: string) => {
    await expect.poll(() => cell.printed().slice(before)).toContain(text);
    return cell.printed().slice(before);
  };

  it.each([
    ["CONNECT", "CONNECT x:1 HTTP/1.1\r\nhost: x:1\r\n\r\n"],
    ["an upgrade", get("/health", "upgrade: websocket", "connection: upgrade")],
    ["half a head", "GET / HT"],
    ["half a body", `${post("content-length: 100")}{`],
  ])("lives through %s followed by a reset", async (_, bytes) => {
    for (let times = 0; times < 4; times += 1) await sendAndReset(cell.port, bytes, times * 15);
    expect(await answersOthers()).toBe(true);
  });

  it("lets go of a refused CONNECT whose client keeps the connection and sends on", async () => {
    const socket = await open(cell.port);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.write("CONNECT x:1 HTTP/1.1\r\nhost: x:1\r\n\r\n");
    const sending = setInterval(() => socket.writable && socket.write("x".repeat(1_000)), 50);
    await closed;
    clearInterval(sending);
    expect(statusesIn(text)).toEqual([501]);
  }, 5_000);

  it.each([
    // Node has let go of the connection by then: nothing may be written to it out of turn.
    ["a CONNECT", "CONNECT x:1 HTTP/1.1\r\nhost: x:1\r\n\r\n", []],
    ["the bytes of a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01", [503, 400]],
    ["garbage", "garbage\r\n\r\n", [503, 400]],
    ["an upgrade", get("/health", "upgrade: websocket", "connection: upgrade"), [503, 200]],
    ["a head that can be read in two ways", get("/health", "host: other"), [503, 400]],
  ])(
    "never answers %s before the request that came first",
    async (_, bytes, statuses) => {
      // Slow: the database does not answer.
      const slow = `${head("GET /ready HTTP/1.1")}${end}`;
      const { text, closed } = await exchangeRaw(cell.port, slow + bytes, 6_000);
      expect(statusesIn(text)).toEqual(statuses);
      expect(closed).toBe(true);
    },
    10_000,
  );

  it("serves 1,024 pipelined requests in turn, and others meanwhile", async () => {
    const ids = Array.from({ length: 1_024 }, (_, i) => `pipelined-${i}`);
    const one = (id: string) => head("GET /health HTTP/1.1", `x-request-id: ${id}`) + end;
    const all = exchangeRaw(cell.port, ids.map(one).join("") + get("/v2"), 6_000);
    expect(await answersOthers()).toBe(true);
    const { text } = await all;
    const heard = [...text.matchAll(/x-request-id: (pipelined-\d+)/gi)].map(([, id]) => id);
    expect(heard).toEqual(ids);
    expect(statusesIn(text)).toEqual([...ids.map(() => 200), 404]);
  }, 20_000);

  it("never executes a request inside a body", async () => {
    const before = cell.printed().length;
    const inner = `${head("GET /v1/cell HTTP/1.1")}${end}`;
    const outer = head("GET /health HTTP/1.1", `content-length: ${inner.length}`, "connection: close");
    expect(statusesIn((await exchangeRaw(cell.port, `${outer}${end}${inner}`)).text)).toEqual([200]);
    expect(cell.printed().slice(before)).not.toContain("/v1/cell");
  });

  it("does not answer 100 to a client of HTTP/1.0, and answers it to others", async () => {
    const asking = (version: string) =>
      `POST /v1/items HTTP/${version}\r\nhost: cell\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n{}`;
    expect(statusesIn((await exchangeRaw(cell.port, asking("1.0"), 400)).text)).not.toContain(100);
    expect(statusesIn((await exchangeRaw(cell.port, asking("1.1"), 400)).text)[0]).toBe(100);
  });

  it.each([
    ["a length and chunks", post("content-length: 3", "transfer-encoding: chunked")],
    ["gzip before chunks", post("transfer-encoding: gzip, chunked")],
    // Node's parser shows the app `chunked`, and refuses it only then.
    ["chunks between tabs", `${post("transfer-encoding: \tchunked\t")}2\r\n{}\r\n0\r\n\r\n`],
    ["chunks with a tab inside", post("transfer-encoding: chunk\ted")],
    ["no coding", `${post("transfer-encoding:", "content-length: 2")}{}`],
    ["two codings", post("transfer-encoding: chunked", "transfer-encoding: chunked")],
    ["a length with a space", post("content-length: 1 2")],
    ["two lengths", `${post("content-length: 2", "content-length: 2")}{}`],
    ["two hosts", get("/health", "host: other")],
    ["two credentials", get("/health", "authorization: Bearer a", "authorization: Bearer b")],
    ["chunks by HTTP/1.0", post("transfer-encoding: chunked").replace("HTTP/1.1", "HTTP/1.0")],
    ...[" 2", "2_0", "0x10", "+5", "2;a\nb", "2;a\rb", `2;${"x".repeat(20_000)}`].map(
      (size) =>
        [
          `the chunk size ${JSON.stringify(size.slice(0, 9))}`,
          `${post("transfer-encoding: chunked")}${size}\r\n{}\r\n0\r\n\r\n`,
        ] as const,
    ),
  ] as const)("%s gets 400, and the connection ends", async (_, bytes) => {
    const { text, closed } = await exchangeRaw(cell.port, bytes);
    expect([statusesIn(text), closed]).toEqual([[400], true]);
  });

  it("prints no control byte that stands in a Host", async () => {
    const before = cell.printed().length;
    const { text } = await exchangeRaw(
      cell.port,
      "GET /health HTTP/1.1\r\nhost: a\xc2\x9b31m\r\nconnection: close\r\n\r\n",
    );
    expect(statusesIn(text)).toEqual([400]);
    expect(text + (await printedAfter(before, '"status":400'))).not.toContain("\x9b");
  });

  it("goes by the length where a header only looks like a coding", async () => {
    const bytes = `${post("transfer_encoding: chunked", "content-length: 2", "connection: close")}{}`;
    expect(statusesIn((await exchangeRaw(cell.port, bytes)).text)).toEqual([401]);
  });

  it("believes nothing that a trailer says", async () => {
    const trailers = "x-tenant-id: carrier-b\r\nauthorization: Bearer x\r\ncontent-length: 9\r\n";
    const bytes = `${post("transfer-encoding: chunked", "connection: close")}2\r\n{}\r\n0\r\n${trailers}\r\n`;
    expect(statusesIn((await exchangeRaw(cell.port, bytes)).text)).toEqual([401]);
  });

  it("refuses what would have to be inflated, before it does so and whoever asks", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024)).toString("latin1");
    const before = await residentBytes(cell);
    for (const encoding of ["gzip", "br", "deflate", "identity, gzip"]) {
      const bytes = post(
        `content-encoding: ${encoding}`,
        `content-length: ${bomb.length}`,
        "connection: close",
      );
      expect(statusesIn((await exchangeRaw(cell.port, bytes + bomb)).text)).toEqual([415]);
    }
    expect((await residentBytes(cell)) - before).toBeLessThan(48 * 1024 * 1024);
  });

  it.each([
    ["no JSON", "application/json", "maria@example.com"],
    ["half an object", "application/json", '{"title":"maria@example.com"'],
    ["half a string", "application/json", '"maria@example.com'],
    ["a form", "application/x-www-form-urlencoded", "a=maria@example.com"],
    ["text", "text/plain", "SyntaxError maria@example.com"],
  ])("a body of %s shows up neither in the log nor in the answer", async (_, type, body) => {
    const before = cell.printed().length;
    const bytes = `${head("POST /v1/items HTTP/1.1", `content-type: ${type}`, `content-length: ${body.length}`, "connection: close")}${end}${body}`;
    const { text } = await exchangeRaw(cell.port, bytes);
    expect(text).toContain("application/problem+json");
    expect(await printedAfter(before, '"message":"request"')).not.toContain("maria");
    expect(text).not.toMatch(/maria|node_modules/);
  });

  it.each([
    "/x/../v1/cell",
    "/v1/%63ell",
    "/v1//cell",
    "/v1\\cell",
    "/v1/items/%zz",
    "/%%252e/",
    "/v1/imports%%3Fx",
  ])("a path that can be read in two ways is refused: %s", async (path) => {
    const { text } = await exchangeRaw(cell.port, get(path));
    expect(text).toContain('"code":"invalid-request"');
  });

  it("a tenant with a byte that is no letter is refused", async () => {
    const { text } = await exchangeRaw(cell.port, get("/v1/items", "x-tenant-id: carrier-a\xa0"));
    expect(statusesIn(text)).toEqual([400]);
  });

  it("lets a client read why its upload was refused that it is still sending", async () => {
    const socket = await open(cell.port);
    socket.pause();
    socket.write(post("content-length: 20000000", "connection: close"), "latin1");
    // Longer than Node, or its adapter, would have waited, and nothing is read meanwhile.
    for (let sent = 0; sent < 30; sent += 1) {
      if (!socket.write(Buffer.alloc(65_536, 0x20))) await sleep(50);
      await sleep(50);
    }
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.resume();
    await expect.poll(() => statusesIn(text)).toEqual([401]);
    socket.destroy();
  }, 10_000);

  it("logs a client that hung up in the middle of its body as that, once", async () => {
    const before = cell.printed().length;
    // The largest that a caller without a key can have read: nothing of it is. The answer has gone out by then.
    await sendAndReset(cell.port, `${post("content-length: 5000", "x-request-id: reset-in-body")}{"a`, 100);
    const said = await printedAfter(before, "reset-in-body");
    expect(said).not.toContain('"code":"invalid-json"');
    expect(said.match(/reset-in-body/g)).toHaveLength(1);
    expect(said).not.toMatch(/"status":200/);
  });

  it("ends in time when it is told to, after what is under way, whoever keeps connections open", async () => {
    const own = await startCell(join(folder, "artefact"), kind);
    const refused = await open(own.port);
    refused.write("CONNECT x:1 HTTP/1.1\r\nhost: x:1\r\n\r\n");
    const idle = await open(own.port);
    const underWay = exchangeRaw(own.port, head("GET /ready HTTP/1.1") + end, 15_000);
    await sleep(200);
    const ended = once(own.process, "exit");
    const toldAt = performance.now();
    own.process.kill("SIGTERM");
    expect(statusesIn((await underWay).text)).toEqual([503]);
    expect(await ended).toEqual([0, null]);
    // Not by the deadline of 10 s.
    expect(performance.now() - toldAt).toBeLessThan(9_000);
    refused.destroy();
    idle.destroy();
  }, 20_000);
});

async function residentBytes({ process }: CellProcess): Promise<number> {
  const pages = (await readFile(`/proc/${process.pid}/statm`, "utf8")).split(" ")[1];
  return Number(pages) * 4_096;
}
