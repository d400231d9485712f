import { createServer } from "node:http";
import {
  defaultEdgeLimits,
  type EdgeLimits,
  edgeServerOptions,
  HttpEdge,
  listen,
  type Shortage,
} from "@proveniq/http-edge";
import { Exchange } from "./exchange.ts";
import type { ExchangeContext } from "./exchange-context.ts";
import { emptyRecord, type RequestRecord } from "./log.ts";

export type { EdgeLimits };

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
export function createRouterServer(parts: RouterParts, limits: Partial<EdgeLimits> = {}): RouterServer {
  const merged = { ...defaultEdgeLimits, ...limits };
  const onDone = (record: RequestRecord) => {
    try {
      parts.onDone(record);
    } catch (error) {
      parts.onFault(error, record.requestId);
    }
  };
  // A request without a body needs none of what a stream does.
  const server = createServer({ ...edgeServerOptions(merged), optimizeEmptyRequests: true });
  const edge: HttpEdge<Exchange> = new HttpEdge<Exchange>(
    server,
    {
      makeExchange: (req, res) => new Exchange(context, req, res),
      onRefused: ({ method, ...refused }) => onDone({ ...emptyRecord(method), ...refused }),
      onShortage: parts.onShortage,
    },
    merged,
  );
  const context: ExchangeContext = {
    ...parts,
    onDone,
    sockets: edge.sockets,
    draining: () => edge.draining,
  };

  const ageMs = Math.max(10, Math.min(1_000, parts.body.idleMs / 8));
  const ager = setInterval(() => {
    for (const client of edge.busy()) client.current()?.age(ageMs);
  }, ageMs);
  ager.unref();

  return {
    listen: (port, host) => listen(server, port, host),
    clients: () => edge.open,
    drain: async (graceMs, deadlineMs) => {
      const cut = await edge.drain(graceMs, deadlineMs);
      clearInterval(ager);
      return cut;
    },
  };
}
