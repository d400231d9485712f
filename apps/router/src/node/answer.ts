import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import {
  exposedHeaders,
  headers,
  makeProblem,
  type ProblemCode,
  preflightHeaders,
  problemContentType,
  type TraceParent,
  writeTraceparent,
} from "@proveniq/contracts";

/** Seconds after which it is worth asking again, for problems that pass. */
const retryAfter: Partial<Record<ProblemCode, string>> = {
  "directory-unavailable": "2",
  "cell-unreachable": "2",
};

/** What every problem carries. It holds nothing of anybody's, so every page may learn from it what went wrong. */
const standing: readonly string[] = [
  "cache-control",
  "private, no-store",
  "x-content-type-options",
  "nosniff",
  "access-control-allow-origin",
  "*",
  "access-control-expose-headers",
  exposedHeaders,
];

/** Answer with a problem of the router's own. `close` tells the client that the connection ends here. */
export function answerProblem(
  res: ServerResponse,
  problem: ProblemCode,
  detail: string,
  more: { requestId: string; trace: TraceParent; close: boolean },
): number {
  const document = makeProblem(problem, more.trace.traceId, detail);
  const body = Buffer.from(JSON.stringify(document));
  const head = [
    "content-type",
    problemContentType,
    "content-length",
    String(body.length),
    ...standing,
    headers.requestId,
    more.requestId,
    headers.traceresponse,
    writeTraceparent(more.trace),
  ];
  const wait = retryAfter[problem];
  if (wait !== undefined) head.push("retry-after", wait);
  if (more.close) head.push("connection", "close");
  res.writeHead(document.status, head);
  res.end(body);
  return document.status;
}

/** The router's own health, on any host. */
export function answerHealth(
  res: ServerResponse,
  state: { draining: boolean; directoryVersion: number; requestId: string },
): number {
  const status = state.draining ? "draining" : "ok";
  const body = JSON.stringify({ status, directoryVersion: state.directoryVersion });
  const head = ["content-type", "application/json", "content-length", String(body.length)];
  head.push("cache-control", "no-store", headers.requestId, state.requestId);
  if (state.draining) head.push("connection", "close");
  res.writeHead(state.draining ? 503 : 200, head);
  res.end(body);
  return res.statusCode;
}

const preflightLines = Object.entries(preflightHeaders).flat();

/** What a browser may send, the same for every host and tenant: nothing is looked up for it. */
export function answerPreflight(res: ServerResponse, requestId: string, close: boolean): number {
  res.writeHead(204, [
    ...preflightLines,
    headers.requestId,
    requestId,
    ...(close ? ["connection", "close"] : []),
  ]);
  res.end();
  return res.statusCode;
}

/** A problem on a bare socket, where HTTP has not got as far as a request; then the connection closes. Gives the status. */
export function answerOnSocket(
  socket: Duplex,
  problem: ProblemCode,
  detail: string,
  { requestId, trace }: { requestId: string; trace: TraceParent },
): number {
  const document = makeProblem(problem, trace.traceId, detail);
  const body = JSON.stringify(document);
  socket.end(
    `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status] ?? "Error"}\r\n` +
      `content-type: ${problemContentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `cache-control: private, no-store\r\n${headers.requestId}: ${requestId}\r\n` +
      `${headers.traceresponse}: ${writeTraceparent(trace)}\r\nconnection: close\r\n\r\n${body}`,
  );
  return document.status;
}
