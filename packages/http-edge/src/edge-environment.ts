import { z } from "zod";
import { defaultEdgeLimits, type EdgeLimits } from "./edge-limits.ts";
import { defaultUnreadLimits } from "./unread.ts";

// Needs no Node: a router at the edge reads its configuration with it too.

export const seconds = z.coerce.number().positive().max(86_400);
export const count = z.coerce.number().int().min(1).max(1_000_000);

/** The variables by which a server bounds what its clients may take up: the router's and a cell's. docs/router.md has a line for each. */
export const edgeEnvironment = {
  HEAD_SECONDS: seconds.optional(),
  REQUEST_SECONDS: seconds.optional(),
  KEEP_ALIVE_SECONDS: seconds.optional(),
  DISCARD_SECONDS: seconds.optional(),
  LINGER_SECONDS: seconds.optional(),
  STALLED_READER_SECONDS: seconds.optional(),
  CLIENT_CONNECTIONS: count.optional(),
  PIPELINED_REQUESTS: count.optional(),
};

export type EdgeEnvironment = z.infer<z.ZodObject<typeof edgeEnvironment>>;

export interface ConfiguredEdge {
  limits: EdgeLimits;
  /** For so long the rest of a body is read away after its answer. */
  discardMs: number;
}

/**
 * The limits that such an environment gives. `byDefault`: where this server's differ from everybody's; `descriptors`: how many
 * files and sockets the process may have open. A head may take no longer than its request.
 */
export function edgeLimitsOf(
  env: EdgeEnvironment,
  byDefault: Partial<Pick<EdgeLimits, "headMs" | "requestMs">> = {},
  descriptors?: number,
): ConfiguredEdge {
  const standing = { ...defaultEdgeLimits, ...byDefault };
  const requestMs = msOf(env.REQUEST_SECONDS) ?? standing.requestMs;
  const lingerMs = msOf(env.LINGER_SECONDS);
  return {
    limits: {
      headMs: Math.min(msOf(env.HEAD_SECONDS) ?? standing.headMs, requestMs),
      requestMs,
      keepAliveMs: msOf(env.KEEP_ALIVE_SECONDS) ?? standing.keepAliveMs,
      maxHeadBytes: standing.maxHeadBytes,
      maxClients: env.CLIENT_CONNECTIONS ?? shareOfClients(descriptors).clients,
      maxWaiting: env.PIPELINED_REQUESTS ?? standing.maxWaiting,
      stalledReaderMs: msOf(env.STALLED_READER_SECONDS) ?? standing.stalledReaderMs,
      linger: lingerMs === undefined ? {} : { ms: lingerMs },
    },
    discardMs: msOf(env.DISCARD_SECONDS) ?? defaultUnreadLimits.ms,
  };
}

function msOf(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 1_000);
}

/** For the log, the directory or database, and what Node itself needs. */
const reserved = 64;
const mostClients = 16_384;

/** How many of so many descriptors are for clients' connections where nothing else is said: three quarters; and what is left. */
export function shareOfClients(descriptors = Number.POSITIVE_INFINITY): { room: number; clients: number } {
  const room = Math.max(8, descriptors - reserved);
  return { room, clients: Math.min(mostClients, Math.floor(room * 0.75)) };
}
