import type { Server, ServerOptions } from "node:http";
import {
  defaultEdgeLimits,
  defaultUnreadLimits,
  type EdgeLimits,
  edgeServerOptions,
  HttpEdge,
  readAwayAfter,
  type UnreadLimits,
} from "@proveniq/http-edge";
import { type Logger, silentLogger } from "../log.ts";
import { Call, type CallContext } from "./call.ts";
import { type Fetch, listenerOf } from "./listener.ts";

/** How long a request, body included, may take to arrive, in milliseconds. A chunk of 8 MiB may come over a slow line. */
export const requestMs = { api: 30_000, bulk: 120_000 } as const;

/** How long a drain waits for requests under way, in milliseconds. Cloud Run ends the process after that. */
export const drainMs = 10_000;

export interface EquipOptions {
  /** How long a request, body included, may take to arrive, in milliseconds. */
  requestTimeoutMs: number;
  /** Told of what the app does not see: requests refused before it, clients that go, more clients than room. */
  logger?: Logger | undefined;
  unread?: UnreadLimits | undefined;
  /** Other limits of the edge than its defaults. */
  limits?: Partial<EdgeLimits> | undefined;
}

/** What a cell's servers are made with, on whatever platform. */
export function serverOptions(options: Pick<EquipOptions, "requestTimeoutMs" | "limits">): ServerOptions {
  return edgeServerOptions(limitsOf(options));
}

function limitsOf({
  requestTimeoutMs,
  limits,
}: Pick<EquipOptions, "requestTimeoutMs" | "limits">): EdgeLimits {
  const headMs = Math.min(10_000, requestTimeoutMs);
  return { ...defaultEdgeLimits, headMs, requestMs: requestTimeoutMs, ...limits };
}

/** Serve `fetch` with a server that was made with `serverOptions` and has no listeners yet: by the edge that the router has too. */
export function equip(server: Server, fetch: Fetch, options: EquipOptions): HttpEdge<Call> {
  const { logger = silentLogger, unread = defaultUnreadLimits } = options;
  const edge: HttpEdge<Call> = new HttpEdge<Call>(
    server,
    {
      makeExchange: (incoming, outgoing) => new Call(context, incoming, outgoing),
      onRefused: (refused) => logger.info(refused, "request ended outside the app"),
      onShortage: (facts) => logger.warn(facts, "short of connections for clients"),
    },
    limitsOf(options),
  );
  const listener = listenerOf(async (request, env) => {
    const answer = await fetch(request, env);
    if (edge.draining) env.outgoing.setHeader("connection", "close");
    readAwayAfter(env.incoming, env.outgoing, unread);
    return answer;
  }, logger);
  const context: CallContext = { sockets: edge.sockets, listener, logger };
  return edge;
}
