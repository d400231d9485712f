import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { ProblemCode } from "@proveniq/contracts";
import {
  drainServer,
  type LingerLimits,
  listen,
  problemText,
  readClientError,
  requestIdOf,
  Sockets,
  traceOf,
} from "@proveniq/http-edge";
import { ClientConnections, type Shortage } from "./client-connections.ts";
import { Exchange } from "./exchange.ts";
import type { ExchangeContext } from "./exchange-context.ts";
import { emptyRecord, type RequestRecord } from "./log.ts";
import { ReaderWatch } from "./reader-watch.ts";

export interface ServerLimits {
  /** For a request's head, and for a whole request. */
  headMs: number;
  requestMs: number;
  /** Idle client connections. Longer than the load balancer's, so that it is the one who closes. */
  keepAliveMs: number;
  maxHeadBytes: number;
  /** Client connections open at once, and requests that wait behind others of their connection, all together. */
  maxClients: number;
  maxWaiting: number;
  /** How long a client may take nothing of the answer that waits for it. */
  stalledReaderMs: number;
  /** How long a refused client may go on sending before it is cut off. */
  linger: Partial<LingerLimits>;
}

export const defaultServerLimits: ServerLimits = {
  headMs: 15_000,
  requestMs: 600_000,
  keepAliveMs: 620_000,
  maxHeadBytes: 16 * 1024,
  maxClients: 16_384,
  maxWaiting: 32_768,
  stalledReaderMs: 120_000,
  linger: {},
};

export interface RouterServer {
  /** Resolves with the port once connections are accepted. */
  listen(port: number, host: string): Promise<number>;
  /** Client connections that are open. */
  clients(): number;
  /**
   * For `graceMs` go on, telling every client with its answer to connect anew; then stop accepting and close idle
   * connections, and end when nothing is under way. What is left after `deadlineMs` is cut; resolves with its number.
   */
  drain(graceMs: number, deadlineMs: number): Promise<number>;
}

export type RouterParts = Omit<ExchangeContext, "draining" | "sockets"> & {
  /** Hears when there are more clients than room for them. */
  onShortage?: (shortage: Shortage) => void;
};

/** The router as an HTTP/1.1 server of Node. */
export function createRouterServer(parts: RouterParts, limits: Partial<ServerLimits> = {}): RouterServer {
  const merged = { ...defaultServerLimits, ...limits };
  const { headMs, requestMs, keepAliveMs, maxHeadBytes } = merged;
  const sockets = new Sockets(merged.linger);
  const clients = new ClientConnections(merged, parts.onShortage ?? (() => undefined));
  let draining = false;
  const onDone = (record: RequestRecord) => {
    try {
      parts.onDone(record);
    } catch (error) {
      parts.onFault(error, record.requestId);
    }
  };
  const context: ExchangeContext = { ...parts, onDone, sockets, draining: () => draining };

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
    // A request without a body needs none of what a stream does.
    optimizeEmptyRequests: true,
  });
  server.timeout = 0;
  server.on("connection", (socket) => {
    sockets.add(socket);
    clients.add(socket);
  });

  const onRequest = (req: IncomingMessage, res: ServerResponse) => {
    const client = clients.of(req.socket);
    const exchange = new Exchange(context, req, res);
    res.on("error", (error) => exchange.onFault(error));
    res.on("close", () => client?.over(exchange));
    client?.take(exchange);
  };
  server.on("request", onRequest);
  server.on("checkContinue", onRequest);
  server.on("checkExpectation", onRequest);

  /** What never became an exchange is answered and recorded all the same. */
  const refuse = (socket: Duplex, problem: ProblemCode, detail: string, method = "") => {
    if (socket.destroyed || socket.writableEnded) return;
    const trace = traceOf(undefined, undefined);
    const requestId = requestIdOf(undefined);
    const { status, text } = problemText(problem, detail, { requestId, trace });
    sockets.refuse(socket, text);
    const { traceId } = trace;
    context.onDone({ ...emptyRecord(method), requestId, traceId, problem, status });
  };
  // Upgrades have no listener: to Node they are plain requests then, and wait their turn like all others.
  server.on("connect", (req, socket) => {
    // Node has let go of what was under way: an answer could only come out of turn.
    if ((clients.of(socket)?.unanswered ?? 0) > 0) socket.destroy();
    else
      refuse(socket, "upgrade-refused", "Speak plain HTTP/1.1: no protocol upgrade is offered.", req.method);
  });
  server.on("clientError", (error, socket) => {
    const read = readClientError(error);
    const end = () => {
      if (read.kind === "gone") socket.destroy();
      else refuse(socket, read.problem, read.detail);
    };
    const client = clients.of(socket);
    if (client === undefined) end();
    else client.breakOff(read, end);
  });

  const ageMs = Math.max(10, Math.min(1_000, parts.body.idleMs / 8));
  const ager = setInterval(() => {
    for (const client of clients.busy()) client.age(ageMs);
  }, ageMs);
  ager.unref();
  const readers = new ReaderWatch(() => clients.busy(), merged.stalledReaderMs);

  return {
    listen: (port, host) => listen(server, port, host),
    clients: () => clients.open,
    drain: async (graceMs, deadlineMs) => {
      draining = true;
      const cut = await drainServer(server, sockets, { graceMs, deadlineMs });
      clearInterval(ager);
      readers.close();
      return cut;
    },
  };
}
