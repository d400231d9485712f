import type { Server, ServerOptions } from "node:http";
import {
  type ConfiguredEdge,
  defaultUnreadLimits,
  edgeServerOptions,
  HttpEdge,
  readAwayAfter,
} from "@proveniq/http-edge";
import { type Logger, silentLogger } from "../log.ts";
import { Call, type CallContext } from "./call.ts";
import { type Fetch, listenerOf } from "./listener.ts";

/** How long a drain waits for requests under way, in milliseconds. Cloud Run ends the process after that. */
export const drainMs = 10_000;

export interface EquipOptions {
  /** What clients may take up. */
  edge: ConfiguredEdge;
  /** Told of what the app does not see: requests refused before it, clients that go, more clients than room. */
  logger?: Logger | undefined;
}

/** What a cell's servers are made with, on whatever platform. */
export function serverOptions({ edge }: EquipOptions): ServerOptions {
  return edgeServerOptions(edge.limits);
}

/** Serve `fetch` with a server that was made with `serverOptions` and has no listeners yet: by the edge that the router has too. */
export function equip(server: Server, fetch: Fetch, options: EquipOptions): HttpEdge<Call> {
  const { logger = silentLogger } = options;
  const { limits, discardMs } = options.edge;
  const unread = { ...defaultUnreadLimits, ms: discardMs };
  const edge: HttpEdge<Call> = new HttpEdge<Call>(
    server,
    {
      makeExchange: (incoming, outgoing) => new Call(context, incoming, outgoing),
      onRefused: (refused) => logger.info(refused, "request ended outside the app"),
      onShortage: (facts) => logger.warn(facts, "short of connections for clients"),
    },
    limits,
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
