import { createServer, type Server, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { makeProblem, type ProblemCode, problemContentType } from "@proveniq/contracts";
import { type Fetch, idsOf, listenerOf, type OnRefused, type Refusal, refusalOf } from "./http/listener.ts";

/** How long a drain waits for requests under way, in milliseconds. */
const drainMs = 10_000;

export interface RunningServer {
  port: number;
  /** Take no more connections, finish what is under way (10 s at most), then resolve. */
  drain(): Promise<void>;
}

export interface ServeOptions {
  host: string;
  /** 0 takes any free one. */
  port: number;
  /** How long a request, body included, may take to arrive; 30 s unless told otherwise. */
  requestTimeoutMs?: number;
  /** Told of each request that was refused before `fetch` saw it. */
  onRefused?: OnRefused;
}

/**
 * Serve `fetch` on plain Node HTTP. What Node itself would answer (bad heads, time-outs) is answered with a
 * problem document too. Rejects when the port cannot be had.
 */
export async function serve(fetch: Fetch, options: ServeOptions): Promise<RunningServer> {
  const { requestTimeoutMs = 30_000, onRefused } = options;
  const server = createServer({
    headersTimeout: Math.min(10_000, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    // How often Node looks for requests that are late; it would look every 30 s only.
    connectionsCheckingInterval: Math.min(5_000, requestTimeoutMs),
    // Longer than the router and a load balancer keep idle connections: they must be the ones to close.
    keepAliveTimeout: 620_000,
    maxHeaderSize: 16 * 1024,
    // A request without a Host gets its answer from errorHandler below.
    requireHostHeader: false,
  });
  const listener = listenerOf(fetch, onRefused);
  const refuse = (socket: Duplex, code: ProblemCode, detail?: string) => {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const refusal = refusalOf(code);
    onRefused?.(refusal);
    answerOnSocket(socket, refusal, detail);
  };
  let draining = false;
  server.on("request", (incoming, outgoing) => {
    if (draining) outgoing.setHeader("connection", "close");
    outgoing.once("close", () => {
      // An answer begun before the drain has left its connection open for a next request.
      if (draining) setImmediate(() => server.closeIdleConnections());
    });
    void listener(incoming, outgoing);
  });
  server.on("checkExpectation", (incoming) =>
    refuse(incoming.socket, "invalid-request", "Expect is not supported."),
  );
  server.on("connect", (_, socket) => refuse(socket, "upgrade-refused"));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => refuse(socket, codeOf(error)));
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    drain: () => {
      draining = true;
      return close(server);
    },
  };
}

function listen(server: Server, { host, port }: ServeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
  });
}

function codeOf(error: NodeJS.ErrnoException): ProblemCode {
  if (error.code === "HPE_HEADER_OVERFLOW") return "headers-too-large";
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") return "request-timeout";
  return "invalid-request";
}

/** An answer below Node's HTTP layer, for what never became a request. */
function answerOnSocket(socket: Duplex, refusal: Refusal, detail?: string): void {
  const problem = makeProblem(refusal.code, refusal.traceId, detail);
  const body = JSON.stringify(problem);
  const ids = Object.entries(idsOf(refusal)).map((pair) => `${pair.join(": ")}\r\n`);
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? "Error"}\r\n` +
      `content-type: ${problemContentType}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `cache-control: private, no-store\r\n${ids.join("")}connection: close\r\n\r\n${body}`,
  );
}
