import type { ConnectionLimits } from "./client-connections.ts";
import type { LingerLimits } from "./sockets.ts";

export interface EdgeLimits extends ConnectionLimits {
  /** For a request's head, and for a whole request, in milliseconds. */
  headMs: number;
  requestMs: number;
  /** Idle client connections. Longer than the load balancer's, so that it is the one who closes. */
  keepAliveMs: number;
  maxHeadBytes: number;
  /** How long a client may take nothing of the answer that waits for it. */
  stalledReaderMs: number;
  /** How long a refused client may go on sending before it is cut off. */
  linger: Partial<LingerLimits>;
}

export const defaultEdgeLimits: EdgeLimits = {
  headMs: 15_000,
  requestMs: 600_000,
  keepAliveMs: 620_000,
  maxHeadBytes: 16 * 1024,
  maxClients: 16_384,
  maxWaiting: 32_768,
  stalledReaderMs: 120_000,
  linger: {},
};
