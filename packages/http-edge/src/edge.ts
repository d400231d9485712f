import type { IncomingMessage, Server, ServerOptions, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { ProblemCode } from "@proveniq/contracts";
import type { ClientConnection } from "./client-connection.ts";
import { ClientConnections, type Shortage } from "./client-connections.ts";
import { drainServer } from "./drain.ts";
import type { EdgeLimits } from "./edge-limits.ts";
import type { EdgeExchange } from "./exchange.ts";
import { requestIdOf, traceOf } from "./ids.ts";
import { readClientError } from "./parser-errors.ts";
import { problemText } from "./problem-answer.ts";
import { ReaderWatch } from "./reader-watch.ts";
import { Sockets } from "./sockets.ts";

/** What was refused before it became an exchange. */
export interface RefusedHead {
  requestId: string;
  traceId: string;
  /** Empty where it cannot be known. */
  method: string;
  problem: ProblemCode;
  status: number;
}

export interface EdgeParts<E extends EdgeExchange> {
  /** Called for each request as it arrives, before its turn. */
  makeExchange(req: IncomingMessage, res: ServerResponse): E;
  /** Told after the answer was written. Must not throw. */
  onRefused(refused: RefusedHead): void;
  /** Hears when there are more clients than room for them. */
  onShortage?: ((shortage: Shortage) => void) | undefined;
}

/** What an edge's server is to be made with. */
export function edgeServerOptions(limits: EdgeLimits): ServerOptions {
  return {
    insecureHTTPParser: false,
    // A request without a Host gets its answer from us.
    requireHostHeader: false,
    keepAlive: false,
    noDelay: true,
    headersTimeout: limits.headMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    // How often Node looks for requests that are late; it would look every 30 s only.
    connectionsCheckingInterval: Math.min(5_000, limits.headMs),
    maxHeaderSize: limits.maxHeadBytes,
  };
}

/**
 * What every HTTP server of ours does with its sockets, from accept to close: one exchange at a time on each connection, a
 * problem for all that Node's parser refuses, none of it before the answer to what was asked first, and an end that waits for
 * what is under way.
 */
export class HttpEdge<E extends EdgeExchange> {
  readonly sockets: Sockets;
  readonly #server: Server;
  readonly #parts: EdgeParts<E>;
  readonly #clients: ClientConnections<E>;
  readonly #readers: ReaderWatch;
  #draining = false;

  /** @param server Made with `edgeServerOptions`, and without any listeners yet. */
  constructor(server: Server, parts: EdgeParts<E>, limits: EdgeLimits) {
    this.#server = server;
    this.#parts = parts;
    this.sockets = new Sockets(limits.linger);
    this.#clients = new ClientConnections(limits, parts.onShortage ?? (() => undefined));
    this.#readers = new ReaderWatch(() => this.busy(), limits.stalledReaderMs);
    server.timeout = 0;
    server.on("connection", (socket) => {
      this.sockets.add(socket);
      this.#clients.add(socket);
      // What Node calls after the last answer of a connection. Its own way resets clients that have sent more.
      socket.destroySoon = () => {
        this.#clients.of(socket)?.leave();
        this.sockets.letGo(socket);
      };
    });
    // Upgrades have no listener: to Node they are plain requests then, and wait their turn like all others.
    for (const event of ["request", "checkContinue", "checkExpectation"] as const)
      server.on(event, (req: IncomingMessage, res: ServerResponse) => this.#onRequest(req, res));
    server.on("connect", (req, socket) => this.#onConnect(req, socket));
    server.on("clientError", (error, socket) => this.#onClientError(error, socket));
  }

  /** Client connections that are open. */
  get open(): number {
    return this.#clients.open;
  }

  /** Once true, answers are to tell clients to connect anew. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Those with a request under way. */
  busy(): Iterable<ClientConnection<E>> {
    return this.#clients.busy();
  }

  /**
   * For `graceMs` go on; then stop accepting and close idle connections, and end when nothing is under way. What is left
   * after `deadlineMs` is cut; resolves with its number.
   */
  async drain(graceMs: number, deadlineMs: number): Promise<number> {
    this.#draining = true;
    const cut = await drainServer(this.#server, this.sockets, { graceMs, deadlineMs });
    this.#readers.close();
    return cut;
  }

  #onRequest(req: IncomingMessage, res: ServerResponse): void {
    const client = this.#clients.of(req.socket);
    const exchange = this.#parts.makeExchange(req, res);
    res.on("error", (error) => exchange.onFault(error));
    res.on("close", () => client?.over(exchange));
    client?.take(exchange);
  }

  #onConnect(req: IncomingMessage, socket: Duplex): void {
    // Node has let go of what was under way: an answer could only come out of turn.
    if ((this.#clients.of(socket)?.unanswered ?? 0) > 0) socket.destroy();
    else
      this.#refuse(
        socket,
        "upgrade-refused",
        "Speak plain HTTP/1.1: no protocol upgrade is offered.",
        req.method,
      );
  }

  #onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
    const read = readClientError(error);
    const end = () => {
      if (read.kind === "gone") socket.destroy();
      else this.#refuse(socket, read.problem, read.detail);
    };
    const client = this.#clients.of(socket);
    if (client === undefined) end();
    else client.breakOff(read, end);
  }

  #refuse(socket: Duplex, problem: ProblemCode, detail: string, method = ""): void {
    if (socket.destroyed || socket.writableEnded) return;
    const trace = traceOf(undefined, undefined);
    const requestId = requestIdOf(undefined);
    const { status, text } = problemText(problem, detail, { requestId, trace });
    this.sockets.refuse(socket, text);
    this.#parts.onRefused({ requestId, traceId: trace.traceId, method, problem, status });
  }
}
