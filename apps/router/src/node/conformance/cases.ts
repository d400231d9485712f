import { type ConformanceCase, count, expectAll, get, has, host, post, refused, status } from "./case.ts";
import { answersOfCells, ordered, refusedByAll, refusedByRouter } from "./edge-cases.ts";
import { plainAnswer } from "./scripted-cell.ts";

/** Requests that two servers could read in two ways. */
const ambiguous: ConformanceCase[] = [
  {
    name: "length beside chunked (CL.TE)",
    send: [`${post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG`],
    check: refused,
  },
  {
    name: "chunked beside length (TE.CL)",
    send: [`${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5\r\nhello\r\n0\r\n\r\n`],
    check: refused,
  },
  {
    name: "two codings (TE.TE)",
    send: [`${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`],
    check: refused,
  },
  {
    name: "an unknown coding",
    send: [`${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    check: refused,
  },
  {
    name: "a coding before chunked",
    send: [`${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    check: refused,
  },
  {
    name: "a space before the colon",
    send: [`${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
    check: refused,
  },
  {
    name: "a vertical tab in the coding",
    send: [`${post}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`],
    check: refused,
  },
  {
    name: "two different lengths",
    send: [`${post}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`],
    check: refused,
  },
  {
    name: "two equal lengths",
    send: [`${post}Content-Length: 2\r\nContent-Length: 2\r\n\r\nab`],
    check: refused,
  },
  { name: "two lengths in one header", send: [`${post}Content-Length: 2, 2\r\n\r\nab`], check: refused },
  { name: "a length with a sign", send: [`${post}Content-Length: +2\r\n\r\nab`], check: refused },
  { name: "a negative length", send: [`${post}Content-Length: -2\r\n\r\nab`], check: refused },
  { name: "a length in hex", send: [`${post}Content-Length: 0x2\r\n\r\nab`], check: refused },
  {
    name: "a length too large for a number",
    send: [`${post}Content-Length: 99999999999999999999\r\n\r\nab`],
    check: refused,
  },
  {
    name: "line ends without CR",
    send: [`GET /v1/items HTTP/1.1\nHost: api.proveniq.io\n\n`],
    check: refused,
  },
  { name: "one header's line end without CR", send: [`${get}X-A: 1\nX-B: 2\r\n\r\n`], check: refused },
  { name: "a bare CR in a header", send: [`${get}X-A: 1\rX-B: 2\r\n\r\n`], check: refused },
  { name: "a folded header", send: [`${get}X-A: 1\r\n X-B: 2\r\n\r\n`], check: refused },
  { name: "a NUL in a header", send: [`${get}X-A: a\0b\r\n\r\n`], check: refused },
  { name: "a header without a name", send: [`${get}: x\r\n\r\n`], check: refused },
  { name: "a header without a colon", send: [`${get}X-A\r\n\r\n`], check: refused },
  { name: "two Hosts", send: [`${get}Host: eu.proveniq.io\r\n\r\n`], check: refused },
  { name: "two equal Hosts", send: [`${get}${host}\r\n`], check: refused },
  { name: "no Host", send: ["GET /v1/items HTTP/1.1\r\n\r\n"], check: refused },
  { name: "an empty Host", send: ["GET /v1/items HTTP/1.1\r\nHost:\r\n\r\n"], check: refused },
  {
    name: "a target with another host",
    send: [`GET http://evil.example/v1/items HTTP/1.1\r\n${host}\r\n`],
    check: refused,
  },
  { name: "a space in the target", send: [`GET /v1/a b HTTP/1.1\r\n${host}\r\n`], check: refused },
  {
    name: "dot segments in the target",
    send: [`GET /x/../v1/items HTTP/1.1\r\n${host}\r\n`],
    check: refused,
  },
  { name: "a newer version", send: [`GET /v1/items HTTP/2.0\r\n${host}\r\n`], check: refused },
  { name: "no version", send: ["GET /v1/items\r\n\r\n"], check: refused },
  {
    name: "a chunk size that is none",
    send: [`${post}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`],
    check: refused,
  },
  {
    name: "a chunk longer than its size",
    send: [`${post}Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n`],
    check: refused,
  },
  {
    name: "a chunk's line end without CR",
    send: [`${post}Transfer-Encoding: chunked\r\n\r\n2\nab\r\n0\r\n\r\n`],
    check: refused,
  },
  {
    name: "chunked over HTTP/1.0",
    send: [`POST /v1/items HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    check: refused,
  },
  {
    name: "headers over 16 KiB",
    send: [`${get}X-A: ${"a".repeat(17_000)}\r\n\r\n`],
    check: (s) => expectAll(refused(s), status(s, 431)),
  },
  {
    name: "two credentials",
    send: [`${get}Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n`],
    check: refused,
  },
  {
    name: "Connection naming the tenant",
    send: [`${get}X-Tenant-ID: carrier-a\r\nConnection: X-Tenant-ID\r\n\r\n`],
    check: refused,
  },
  {
    name: "an upgrade",
    send: [`${get}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`],
    check: (s) => expectAll(refused(s), status(s, 501)),
  },
  {
    name: "CONNECT",
    send: ["CONNECT api.proveniq.io:443 HTTP/1.1\r\nHost: api.proveniq.io:443\r\n\r\n"],
    check: refused,
  },
  { name: "TRACE", send: [`TRACE /v1/items HTTP/1.1\r\n${host}\r\n`], check: refused },
  {
    name: "an expectation that nobody knows",
    send: [`${post}Expect: miracles\r\nContent-Length: 2\r\n\r\nab`],
    check: refused,
  },
];

/** What must pass, and pass unchanged. */
const passed: ConformanceCase[] = [
  {
    name: "a plain GET",
    send: [`${get}\r\n`],
    check: (s) => expectAll(status(s, 200), count(s, 1), !s.reply.endsWith('{"ok":true}') && "body lost"),
  },
  {
    name: "a head in single bytes",
    send: `${get}X-A: 1\r\n\r\n`.split(""),
    check: (s) =>
      expectAll(status(s, 200), count(s, 1), !has(s.arrived[0]?.headers ?? [], "x-a: 1") && "header lost"),
  },
  {
    name: "three pipelined requests are answered in order",
    send: [
      `GET /v1/1 HTTP/1.1\r\n${host}\r\nGET /v1/2 HTTP/1.1\r\n${host}\r\nGET /v1/3 HTTP/1.1\r\n${host}\r\n`,
    ],
    answers: ["one", "two", "three"].map(
      (w) => `HTTP/1.1 200 OK\r\ncontent-length: ${w.length}\r\nx-n: ${w}\r\n\r\n${w}`,
    ),
    check: (s) => {
      const lines = s.arrived.map((a) => a.line.split(" ")[1]);
      const answersByRequest = ["one", "two", "three"];
      const order = [1, 2, 3].map((n) => answersByRequest[lines.indexOf(`/v1/${n}`)] ?? "");
      const positions = order.map((word) => s.reply.indexOf(`x-n: ${word}`));
      return expectAll(
        status(s, 200, 200, 200),
        count(s, 3),
        positions.join() !== positions.toSorted((a, b) => a - b).join() && "out of order",
      );
    },
  },
  {
    name: "a body with a length",
    send: [`${post}Content-Length: 5\r\n\r\n`, "he", "llo"],
    check: (s) => expectAll(status(s, 200), s.arrived[0]?.body !== "hello" && "body changed"),
  },
  {
    name: "a body in chunks",
    send: [`${post}Transfer-Encoding: chunked\r\n\r\n`, "2\r\nhe\r\n", "3;x=y\r\nllo", "\r\n0\r\n\r\n"],
    check: (s) => expectAll(status(s, 200), s.arrived[0]?.body !== "hello" && "body changed"),
  },
  {
    name: "a large body in chunks",
    send: [
      `${post}Transfer-Encoding: chunked\r\n\r\n`,
      ...Array.from({ length: 5 }, () => `8000\r\n${"x".repeat(0x8000)}\r\n`),
      "0\r\n\r\n",
    ],
    check: (s) => expectAll(status(s, 200), s.arrived[0]?.body.length !== 5 * 0x8000 && "body changed"),
  },
  {
    name: "a body after the client asked to continue",
    send: [`${post}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`, "ab"],
    check: (s) =>
      expectAll(
        status(s, 200),
        s.arrived[0]?.body !== "ab" && "body changed",
        !s.reply.startsWith("HTTP/1.1 100 ") && "not told to continue",
      ),
  },
  {
    name: "a POST without a body says so",
    send: [`${post}Content-Length: 0\r\n\r\n`],
    check: (s) =>
      expectAll(status(s, 200), !has(s.arrived[0]?.headers ?? [], "content-length: 0") && "length lost"),
  },
  {
    name: "two requests on one connection",
    send: [`${post}Content-Length: 2\r\n\r\nab`, `${get}\r\n`],
    check: (s) => expectAll(status(s, 200, 200), count(s, 2)),
  },
  {
    name: "HTTP/1.0 closes",
    send: [`GET /v1/items HTTP/1.0\r\n${host}\r\n`],
    check: (s) => expectAll(status(s, 200), !s.closed && "left open"),
  },
  {
    name: "Connection: close closes",
    send: [`${get}Connection: close\r\n\r\n`],
    check: (s) => expectAll(status(s, 200), !s.closed && "left open"),
  },
  {
    name: "the full form of the target, same host",
    send: [`GET http://api.proveniq.io/v1/items HTTP/1.1\r\n${host}\r\n`],
    check: (s) =>
      expectAll(
        status(s, 200),
        s.arrived[0]?.line !== "GET /v1/items HTTP/1.1" && `went on as ${s.arrived[0]?.line}`,
      ),
  },
  {
    name: "repeated headers keep their order",
    send: [`${get}X-A: 1\r\nX-A: 2\r\n\r\n`],
    check: (s) =>
      s.arrived[0]?.headers.filter((h) => h.startsWith("x-a:")).join() === "x-a: 1,x-a: 2"
        ? undefined
        : "changed",
  },
  {
    name: "headers that Connection names are dropped",
    send: [
      `${get}Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: x\r\nX-End: 1\r\n\r\n`,
    ],
    check: (s) => {
      const lines = s.arrived[0]?.headers ?? [];
      const left = ["x-hop", "keep-alive", "te", "proxy-connection"].filter((n) => has(lines, `${n}:`));
      return expectAll(
        status(s, 200),
        left.length > 0 && `passed on ${left.join(", ")}`,
        !has(lines, "x-end: 1") && "lost an end-to-end header",
      );
    },
  },
];

/** What a cell may answer, and how it must reach the client. */
const answered: ConformanceCase[] = [
  {
    name: "an answer in chunks",
    send: [`${get}\r\n`],
    answers: [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n",
    ],
    check: (s) => expectAll(status(s, 200), !/abc(\r\n2\r\n)?de/.test(s.reply) && "body changed"),
  },
  {
    name: "an answer until the cell closes",
    send: [`${get}\r\n`],
    cellCloses: true,
    answers: ["HTTP/1.1 200 OK\r\n\r\nabcde"],
    check: (s) => expectAll(status(s, 200), !s.reply.includes("abcde") && "body lost"),
  },
  {
    name: "HEAD has a length and no body",
    send: [`HEAD /v1/items HTTP/1.1\r\n${host}\r\n`, `${get}\r\n`],
    answers: ["HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", plainAnswer],
    check: (s) => expectAll(status(s, 200, 200), !/content-length: 11\r\n/i.test(s.reply) && "length lost"),
  },
  {
    name: "204",
    send: [`${get}\r\n`, `${get}\r\n`],
    answers: ["HTTP/1.1 204 No Content\r\n\r\n"],
    check: (s) =>
      expectAll(
        status(s, 204, 204),
        /content-length|transfer-encoding/i.test(s.reply) && "a body is announced",
      ),
  },
  {
    name: "304 keeps its headers",
    send: [`${get}\r\n`, `${get}\r\n`],
    answers: ['HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'],
    check: (s) =>
      expectAll(
        status(s, 304, 304),
        !/etag: "a"/i.test(s.reply) && "etag lost",
        /transfer-encoding/i.test(s.reply) && "a body is announced",
      ),
  },
  {
    name: "interim answers are not taken for the answer",
    send: [`${get}\r\n`],
    answers: [`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n${plainAnswer}`],
    check: (s) => expectAll(status(s, 200), !s.reply.endsWith('{"ok":true}') && "body lost"),
  },
  {
    name: "the cell's Connection is not the client's",
    send: [`${get}\r\n`, `${get}\r\n`],
    answers: [
      "HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=77\r\nContent-Length: 2\r\n\r\nab",
    ],
    cellCloses: true,
    check: (s) => expectAll(status(s, 200, 200), /x-hop|timeout=77/i.test(s.reply) && "passed on"),
  },
  {
    name: "cookies stay apart",
    send: [`${get}\r\n`],
    answers: ["HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nab"],
    check: (s) => (/set-cookie: a=1\r\nset-cookie: b=2\r\n/i.test(s.reply) ? undefined : "changed"),
  },
  {
    name: "an answer with a length and chunks",
    send: [`${get}\r\n`],
    answers: ["HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    check: (s) => status(s, 502),
  },
  {
    name: "an answer with two lengths",
    send: [`${get}\r\n`],
    answers: ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"],
    check: (s) => status(s, 502),
  },
  {
    name: "an answer whose header holds a bare CR",
    send: [`${get}\r\n`],
    answers: ["HTTP/1.1 200 OK\r\nX-A: 1\rSet-Cookie: x=1\r\nContent-Length: 2\r\n\r\nab"],
    check: (s) => status(s, 502),
  },
  {
    name: "an answer with a folded header",
    send: [`${get}\r\n`],
    answers: ["HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\nab"],
    check: (s) => status(s, 502),
  },
  {
    name: "an answer that is no HTTP",
    send: [`${get}\r\n`],
    answers: ["SSH-2.0-OpenSSH_9.9\r\n\r\n"],
    check: (s) => status(s, 502),
  },
  {
    name: "a switch of protocols that nobody asked for",
    send: [`${get}\r\n`],
    answers: ["HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"],
    check: (s) => status(s, 502),
  },
  {
    name: "bytes after the answer do not become the next one",
    send: [`${get}\r\n`, `${get}\r\n`],
    answers: [`${plainAnswer}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen`, plainAnswer],
    check: (s) => expectAll(status(s, 200, 200), s.reply.includes("stolen") && "the surplus was served"),
  },
];

/** HTTP as a proxy must speak it: each case is bytes in, and what must come out on both sides. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...ambiguous,
  ...refusedByAll,
  ...refusedByRouter,
  ...passed,
  ...ordered,
  ...answered,
  ...answersOfCells,
];

/** What concerns only who passes requests on; a server may pass over an upgrade that is offered. */
const ofProxies: ReadonlySet<string> = new Set(["Connection naming the tenant", "an upgrade"]);

/** What whoever answers requests must refuse too: a cell's servers, which the load balancer reaches past the router. */
export const serverCases: readonly ConformanceCase[] = [...ambiguous, ...refusedByAll].filter(
  ({ name }) => !ofProxies.has(name),
);
