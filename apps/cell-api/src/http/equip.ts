import type { IncomingMessage, Server, ServerOptions, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { importLimits, type ProblemCode, problems } from "@proveniq/contracts";
import { answerOnSocket } from "./answer-on-socket.ts";
import { beginCall, callsOn, isBodyDue } from "./calls.ts";
import { type Fetch, listenerOf, type OnRefused, refusalOf } from "./listener.ts";
import { headFault } from "./plain-head.ts";
import { readAwayUnread, type UnreadLimits } from "./unread.ts";

/** How long a request, body included, may take to arrive, in milliseconds. A chunk of 8 MiB may come over a slow line. */
export const requestMs = { api: 30_000, bulk: 120_000 } as const;

export interface EquipOptions {
  /** How long a request, body included, may take to arrive, in milliseconds. */
  requestTimeoutMs: number;
  /** Told of each request that was refused before `fetch` saw it. */
  onRefused?: OnRefused | undefined;
  unread?: UnreadLimits | undefined;
}

/** What a cell's servers are made with, on whatever platform. */
export function serverOptions({ requestTimeoutMs }: Pick<EquipOptions, "requestTimeoutMs">): ServerOptions {
  return {
    headersTimeout: Math.min(10_000, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    // How often Node looks for requests that are late; it would look every 30 s only.
    connectionsCheckingInterval: Math.min(5_000, requestTimeoutMs),
    // Longer than the router and a load balancer keep idle connections: they must be the ones to close.
    keepAliveTimeout: 620_000,
    maxHeaderSize: 16 * 1024,
    // A request without a Host gets its answer from here.
    requireHostHeader: false,
  };
}

/**
 * Serve `fetch` with a server that has no listeners yet. What Node itself would answer (bad heads, time-outs) is answered with
 * a problem too, and no socket is ever without a listener for its errors.
 */
export function equip(server: Server, fetch: Fetch, { onRefused, unread }: EquipOptions): void {
  const listener = listenerOf(async (request, env) => {
    const answer = await fetch(request, env);
    readAwayUnread(env.incoming, env.outgoing, unread);
    return answer;
  }, onRefused);
  const serve = (incoming: IncomingMessage, outgoing: ServerResponse, waits = false) => {
    const fault = headFault(incoming);
    if (fault !== undefined) {
      // Where this request ends is anybody's guess: nothing after it is read.
      if (callsOn(incoming.socket).length > 0) incoming.socket.destroy();
      else refuse(incoming.socket, "invalid-request", onRefused, fault);
      return;
    }
    beginCall(incoming, outgoing);
    const declared = Number(incoming.headers["content-length"] ?? 0);
    // A client of HTTP/1.0 would take it for the answer. One that waits is not asked for what nobody would take.
    if (waits && incoming.httpVersionMinor > 0 && declared <= importLimits.chunkBytes)
      outgoing.writeContinue();
    void listener(incoming, outgoing);
  };
  // Node takes its own listener off a socket when it hands the socket over; a reset after that ended the process.
  server.on("connection", (socket) => socket.on("error", () => {}));
  server.on("request", (incoming, outgoing) => serve(incoming, outgoing));
  server.on("checkContinue", (incoming, outgoing) => serve(incoming, outgoing, true));
  server.on("checkExpectation", (incoming) =>
    refuse(incoming.socket, "invalid-request", onRefused, "Expect is not supported."),
  );
  server.on("connect", (_, socket) => {
    // An answer that is still being made would come after this one.
    if (callsOn(socket).length > 0) socket.destroy();
    else refuse(socket, "upgrade-refused", onRefused);
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET") socket.destroy();
    else onClientError(socket, codeOf(error), onRefused);
  });
}

/** Bytes that are no request, or one that is late, on a connection where others may be under way. */
function onClientError(socket: Duplex, code: ProblemCode, onRefused: OnRefused | undefined): void {
  const calls = callsOn(socket);
  const last = calls.at(-1);
  if (last === undefined) {
    // After an answer that came before its body, words would be taken for a second one. How long that body may take is up to
    // who reads it away.
    if (!isBodyDue(socket)) refuse(socket, code, onRefused);
    else if (code !== "request-timeout") socket.destroy();
    return;
  }
  if (last.incoming.complete) {
    // What was asked before is answered, and nothing after it.
    last.outgoing.once("close", () => socket.end(() => socket.destroy()));
    return;
  }
  if (calls.length > 1 || last.outgoing.headersSent || last.endedAs !== undefined) {
    socket.destroy();
    return;
  }
  const refusal =
    last.ids === undefined ? refusalOf(code) : { ...last.ids, code, status: problems[code].status };
  // The app tells of what it has seen. What it is still to see it need not look at.
  if (last.ids === undefined) onRefused?.(refusal);
  last.endedAs = refusal;
  answerOnSocket(socket, refusal);
}

function refuse(socket: Duplex, code: ProblemCode, onRefused: OnRefused | undefined, detail?: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = refusalOf(code);
  onRefused?.(refusal);
  answerOnSocket(socket, refusal, detail);
}

function codeOf(error: NodeJS.ErrnoException): ProblemCode {
  if (error.code === "HPE_HEADER_OVERFLOW") return "headers-too-large";
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") return "request-timeout";
  return "invalid-request";
}
