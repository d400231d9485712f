import {
  body,
  type ConformanceCase,
  count,
  expectAll,
  get,
  has,
  host,
  post,
  refused,
  status,
} from "./case.ts";
import { plainAnswer } from "./scripted-cell.ts";

/** The first answer is that to the first request, or there is none: never the refusal of what came after it. */
const inTurn = (first: number) => (seen: { statuses: number[] }) =>
  seen.statuses.length === 0 || seen.statuses[0] === first
    ? undefined
    : `answered ${seen.statuses.join()} instead of ${first} first`;

const chunked = (pieces: string) => `${post}Transfer-Encoding: chunked\r\n\r\n${pieces}`;

/** Refused by whoever serves, a proxy or a server. */
export const refusedByAll: ConformanceCase[] = [
  { name: "a length of two numbers", send: [`${post}Content-Length: 1 2\r\n\r\nab`], check: refused },
  {
    name: "an empty coding beside a length",
    send: [`${post}Transfer-Encoding:\r\nContent-Length: 2\r\n\r\nab`],
    check: refused,
  },
  ...[" 2", "2_0", "0x10", "+5", "2 2"].map((size) => ({
    name: `a chunk of size ${JSON.stringify(size)}`,
    send: [chunked(`${size}\r\nab\r\n0\r\n\r\n`)],
    check: refused,
  })),
  {
    name: "a bare LF in a chunk's extension",
    send: [chunked("2;a\nb\r\nab\r\n0\r\n\r\n")],
    check: refused,
  },
  {
    name: "a bare CR in a chunk's extension",
    send: [chunked("2;a\rb\r\nab\r\n0\r\n\r\n")],
    check: refused,
  },
  {
    name: "a chunk's extension of 20,000 bytes",
    send: [chunked(`2;${"x".repeat(20_000)}\r\nab\r\n0\r\n\r\n`)],
    check: refused,
  },
  {
    name: "a control byte beyond ASCII in Host",
    send: ["GET /v1/items HTTP/1.1\r\nHost: api\x9b.proveniq.io\r\n\r\n"],
    check: (s) => expectAll(refused(s), status(s, 400), s.reply.includes("\x9b") && "the byte came back"),
  },
  {
    name: "a compressed body",
    send: [`${post}Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab`],
    check: (s) => expectAll(refused(s), status(s, 415)),
  },
];

/** Refused by the router, which knows hosts and tenants. */
export const refusedByRouter: ConformanceCase[] = [
  {
    name: "a Host that ends with a dot",
    send: ["GET /v1/items HTTP/1.1\r\nHost: api.proveniq.io.\r\n\r\n"],
    check: (s) => expectAll(refused(s), status(s, 421)),
  },
  {
    name: "a target with user and password",
    send: [`GET http://user:pw@api.proveniq.io/v1/items HTTP/1.1\r\n${host}\r\n`],
    check: refused,
  },
  {
    name: "a tenant that ends with a byte beyond ASCII",
    send: [`${get}X-Tenant-ID: carrier-a\xa0\r\n\r\n`],
    check: (s) => expectAll(refused(s), status(s, 400)),
  },
  {
    name: "an escape that is none, before one",
    send: [`GET /%%252e/ HTTP/1.1\r\n${host}\r\n`],
    check: refused,
  },
  {
    name: "a question mark behind two escapes",
    send: [`GET /v1/imports%%3Fx HTTP/1.1\r\n${host}\r\n`],
    check: refused,
  },
];

/** Several things on one connection, and what goes on unchanged. */
export const ordered: ConformanceCase[] = [
  {
    name: "an upgrade behind a slow request",
    send: [`${get}\r\n${get}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`],
    cellMs: 30,
    check: inTurn(200),
  },
  {
    name: "a CONNECT behind a slow request",
    send: [`${get}\r\nCONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n`],
    cellMs: 30,
    check: inTurn(200),
  },
  {
    name: "the start of TLS behind a slow request",
    send: [`${get}\r\n\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03`],
    cellMs: 30,
    check: inTurn(200),
  },
  {
    name: "a request with garbage after it is answered",
    send: [`${get}\r\ngarbage\r\n\r\n`],
    check: (s) => (s.statuses[0] === 200 ? undefined : `answered ${s.statuses.join() || "nothing"}`),
  },
  {
    name: "a request within a body is not asked",
    send: [
      `${get}Content-Length: 52\r\n\r\n`,
      `DELETE /v1/items/x HTTP/1.1\r\nHost: api.proveniq.io\r\n\r\n`.slice(0, 52),
    ],
    check: (s) => expectAll(count(s, 1), s.arrived.some((a) => a.line.startsWith("DELETE")) && "asked"),
  },
  {
    name: "64 requests at once",
    send: [`${get}\r\n`.repeat(64)],
    check: (s) => expectAll(status(s, ...Array.from({ length: 64 }, () => 200)), count(s, 64)),
  },
  {
    name: "a tenant in the query of a target without a path",
    send: [`GET http://api.proveniq.io?/t/carrier-a/v1/items HTTP/1.1\r\n${host}\r\n`],
    check: (s) =>
      has(s.arrived[0]?.headers ?? [], "x-tenant-id: carrier-a") ? "taken for the tenant" : undefined,
  },
  {
    name: "HTTP/1.0 is not told to continue",
    send: [`POST /v1/items HTTP/1.0\r\n${host}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`, "ab"],
    check: (s) => expectAll(status(s, 200), s.reply.includes(" 100 ") && "told to continue"),
  },
  {
    name: "a header that is like a coding",
    send: [`${post}Transfer_Encoding: chunked\r\nContent-Length: 2\r\n\r\nab`],
    check: (s) =>
      expectAll(
        s.statuses.every((code) => code >= 400) ? undefined : body(s, "ab"),
        has(s.arrived[0]?.headers ?? [], "transfer_encoding:") && "passed on",
      ),
  },
  {
    name: "trailers are dropped",
    send: [chunked("2\r\nab\r\n0\r\nX-Tenant-ID: carrier-a\r\nAuthorization: Bearer x\r\n\r\n")],
    check: (s) =>
      expectAll(
        status(s, 200),
        body(s, "ab"),
        has(s.arrived[0]?.headers ?? [], "authorization:") && "taken for headers",
      ),
  },
];

const odd = (name: string, answer: string): ConformanceCase => ({
  name,
  send: [`${get}\r\n`],
  answers: [answer],
  check: (s) => status(s, 502),
});

/** What a cell may do to its own clients, and to nobody else. */
export const answersOfCells: ConformanceCase[] = [
  ...["\x01", "\x0b", "\x7f"].flatMap((byte) => [
    odd(
      `an answer with ${JSON.stringify(byte)} in its status line`,
      `HTTP/1.1 200 O${byte}K\r\nContent-Length: 2\r\n\r\nab`,
    ),
    odd(
      `an answer with ${JSON.stringify(byte)} in a header`,
      `HTTP/1.1 200 OK\r\nX-A: a${byte}b\r\nContent-Length: 2\r\n\r\nab`,
    ),
  ]),
  {
    name: "a broken answer to the second of two requests at once",
    send: [`${get}\r\n${get}\r\n`],
    answers: [plainAnswer, "SSH-2.0-x\r\n\r\n"],
    check: (s) => status(s, 200, 502),
  },
  {
    name: "a body after a 204 is not the next answer",
    send: [`${get}\r\n`, `${get}\r\n`],
    answers: [
      "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen",
      plainAnswer,
    ],
    check: (s) => expectAll(status(s, 204, 200), s.reply.includes("stolen") && "it was served"),
  },
  ...["consumer;2", "no-such-cell;2", "consumer;9999999999", "x"].map((successor) => ({
    name: `a successor that must not be believed: ${successor}`,
    send: [`${get}\r\n`],
    answers: [`HTTP/1.1 421 Misdirected\r\nX-Proveniq-Successor: ${successor}\r\nContent-Length: 0\r\n\r\n`],
    check: (s: Parameters<ConformanceCase["check"]>[0]) =>
      expectAll(status(s, 421), count(s, 1), /proveniq-successor/i.test(s.reply) && "passed on"),
  })),
];
