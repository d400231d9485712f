import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProblemCode } from "@proveniq/contracts";
import { requestIdOf, traceOf } from "../trace.ts";
import { answerOnSocket } from "./answer.ts";
import { Exchange, type ExchangeContext } from "./exchange.ts";
import { emptyRecord } from "./log.ts";

export interface ServerLimits {
  /** For a request's head, and for a whole request. */
  headMs: number;
  requestMs: number;
  /** Idle client connections. Longer than the load balancer's, so that it is the one who closes. */
  keepAliveMs: number;
  maxHeadBytes: number;
}

export const defaultServerLimits: ServerLimits = {
  headMs: 15_000,
  requestMs: 600_000,
  keepAliveMs: 620_000,
  maxHeadBytes: 16 * 1024,
};

export interface RouterServer {
  /** Resolves with the port once connections are accepted. */
  listen(port: number, host: string): Promise<number>;
  /**
   * For `graceMs` go on, telling every client with its answer to connect anew; then stop accepting and close idle
   * connections, and end when nothing is under way. What is left after `deadlineMs` is cut; resolves with its number.
   */
  drain(graceMs: number, deadlineMs: number): Promise<number>;
}

/** The router as an HTTP/1.1 server of Node. */
export function createRouterServer(
  parts: Omit<ExchangeContext, "draining">,
  limits: Partial<ServerLimits> = {},
): RouterServer {
  const { headMs, requestMs, keepAliveMs, maxHeadBytes } = { ...defaultServerLimits, ...limits };
  /** A connection has several exchanges under way when its client pipelines. */
  const active = new Map<Duplex, Set<Exchange>>();
  let draining = false;
  const context: ExchangeContext = { ...parts, draining: () => draining };

  const server = createServer({
    insecureHTTPParser: false,
    requireHostHeader: false,
    keepAlive: false,
    noDelay: true,
    headersTimeout: headMs,
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.min(5_000, headMs),
    maxHeaderSize: maxHeadBytes,
  });
  server.timeout = 0;

  const onRequest = (req: IncomingMessage, res: ServerResponse) => {
    const exchange = new Exchange(context, req, res);
    const exchanges = active.get(req.socket);
    exchanges?.add(exchange);
    res.on("close", () => {
      exchanges?.delete(exchange);
      exchange.end();
    });
    exchange.begin();
  };
  server.on("connection", (socket) => {
    active.set(socket, new Set());
    socket.on("close", () => {
      // Answers that were queued behind another never hear of it from Node.
      for (const exchange of active.get(socket) ?? []) exchange.end();
      active.delete(socket);
    });
  });
  server.on("request", onRequest);
  server.on("checkContinue", onRequest);
  server.on("checkExpectation", onRequest);
  /** What never became an exchange is answered and recorded all the same. */
  const refuse = (socket: Duplex, problem: ProblemCode, detail: string, method = "") => {
    const startedAt = performance.now();
    const trace = traceOf(undefined, undefined);
    const requestId = requestIdOf(undefined);
    const status = answerOnSocket(socket, problem, detail, { requestId, trace });
    const { traceId } = trace;
    const totalMs = performance.now() - startedAt;
    context.onDone({ ...emptyRecord(method), requestId, traceId, problem, status, totalMs });
  };
  const refuseUpgrade = (req: IncomingMessage, socket: Duplex) =>
    refuse(socket, "upgrade-refused", "Speak plain HTTP/1.1: no protocol upgrade is offered.", req.method);
  server.on("upgrade", refuseUpgrade);
  server.on("connect", refuseUpgrade);
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const exchanges = active.get(socket) ?? new Set();
    for (const exchange of exchanges) exchange.breakOff();
    if (exchanges.size > 0) return;
    if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
    else refuse(socket, ...problemOf(error.code));
  });

  const ageMs = Math.max(10, Math.min(1_000, parts.body.idleMs / 8));
  const ager = setInterval(() => {
    for (const exchanges of active.values()) for (const exchange of exchanges) exchange.age(ageMs);
  }, ageMs);
  ager.unref();

  return {
    listen: (port, host) => listen(server, port, host),
    drain: async (graceMs, deadlineMs) => {
      draining = true;
      const startedAt = performance.now();
      await sleep(Math.min(graceMs, deadlineMs));
      await arrivalsRead();
      const closed = new Promise<void>((resolve) => {
        // Not http's own close: it would at once cut idle connections, on which a request may be arriving.
        NetServer.prototype.close.call(server, () => resolve());
      });
      const state = { ended: false };
      void closed.then(() => {
        state.ended = true;
      });
      while (!state.ended && performance.now() - startedAt < deadlineMs) {
        await arrivalsRead();
        server.closeIdleConnections();
        await Promise.race([closed, sleep(25)]);
      }
      clearInterval(ager);
      let cut = 0;
      for (const exchanges of active.values()) cut += exchanges.size;
      server.closeAllConnections();
      await closed;
      return cut;
    },
  };
}

/** Everything that had arrived when this was called has been accepted and read, however late the loop is. */
async function arrivalsRead(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      const address = server.address() as AddressInfo;
      resolve(address.port);
    });
  });
}

function problemOf(code: string | undefined): [ProblemCode, string] {
  if (code === "HPE_HEADER_OVERFLOW")
    return ["headers-too-large", "The request's headers may have 16 KiB in all."];
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return ["request-timeout", "The request took too long to arrive."];
  return ["invalid-request", "This is not a valid HTTP/1.1 request."];
}
