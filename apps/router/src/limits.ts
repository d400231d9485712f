import { z } from "zod";
import type { BodyLimits } from "./node/request-body.ts";
import type { EdgeLimits } from "./node/server.ts";
import type { UpstreamLimits } from "./node/upstream/types.ts";

const seconds = (byDefault: number) => z.coerce.number().positive().max(86_400).default(byDefault);
const count = z.coerce.number().int().min(1).max(1_000_000);

/** The variables by which what one client, one tenant or one cell may take up is bounded. docs/router.md has a line for each. */
export const limitsEnvironment = {
  HEAD_SECONDS: seconds(15),
  REQUEST_SECONDS: seconds(600),
  KEEP_ALIVE_SECONDS: seconds(620),
  BODY_MIB: z.coerce.number().positive().max(1_024).default(32),
  BODY_IDLE_SECONDS: seconds(30),
  DISCARD_SECONDS: seconds(75),
  LINGER_SECONDS: seconds(2),
  STALLED_READER_SECONDS: seconds(120),
  CLIENT_CONNECTIONS: count.optional(),
  PIPELINED_REQUESTS: count.default(32_768),
  CONNECT_SECONDS: seconds(2),
  FIRST_BYTE_SECONDS: seconds(60),
  ANSWER_IDLE_SECONDS: seconds(30),
  UPSTREAM_CONNECTIONS: count.default(2_048),
  UPSTREAM_TOTAL: count.optional(),
};

/** All limits of a router. */
export interface Limits {
  server: Partial<EdgeLimits>;
  body: BodyLimits;
  upstream: Partial<UpstreamLimits>;
}

const mostClients = 16_384;
const mostUpstream = 8_192;
/** For the log, the directory, the metrics and what Node itself needs. */
const reserved = 64;

/**
 * The limits that such an environment gives. `descriptors`: how many files and sockets the process may have open; where nothing
 * else is said, three quarters are for clients and the rest for cells, so that neither takes the other's.
 */
export function limitsOf(
  env: z.infer<z.ZodObject<typeof limitsEnvironment>>,
  descriptors = Number.POSITIVE_INFINITY,
): Limits {
  const room = Math.max(8, descriptors - reserved);
  const maxClients = env.CLIENT_CONNECTIONS ?? Math.min(mostClients, Math.floor(room * 0.75));
  const maxTotal = env.UPSTREAM_TOTAL ?? Math.min(mostUpstream, Math.max(4, room - maxClients));
  const ms = (value: number) => Math.round(value * 1_000);
  return {
    server: {
      headMs: ms(env.HEAD_SECONDS),
      requestMs: ms(env.REQUEST_SECONDS),
      keepAliveMs: ms(env.KEEP_ALIVE_SECONDS),
      maxClients,
      maxWaiting: env.PIPELINED_REQUESTS,
      stalledReaderMs: ms(env.STALLED_READER_SECONDS),
      linger: { ms: ms(env.LINGER_SECONDS) },
    },
    body: {
      maxBytes: Math.round(env.BODY_MIB * 1_048_576),
      replayBytes: 65_536,
      idleMs: ms(env.BODY_IDLE_SECONDS),
      discardMs: ms(env.DISCARD_SECONDS),
    },
    upstream: {
      connectMs: ms(env.CONNECT_SECONDS),
      firstByteMs: ms(env.FIRST_BYTE_SECONDS),
      idleMs: ms(env.ANSWER_IDLE_SECONDS),
      maxConnections: Math.min(env.UPSTREAM_CONNECTIONS, maxTotal),
      maxTotal,
    },
  };
}
