import {
  count,
  edgeEnvironment,
  edgeLimitsOf,
  seconds,
  shareOfClients,
} from "@proveniq/http-edge/edge-environment";
import { z } from "zod";
import type { BodyLimits } from "./node/request-body.ts";
import type { EdgeLimits } from "./node/server.ts";
import type { UpstreamLimits } from "./node/upstream/types.ts";

/** The variables by which what one client, one tenant or one cell may take up is bounded. docs/router.md has a line for each. */
export const limitsEnvironment = {
  ...edgeEnvironment,
  BODY_MIB: z.coerce.number().positive().max(1_024).default(32),
  BODY_IDLE_SECONDS: seconds.default(30),
  CONNECT_SECONDS: seconds.default(2),
  FIRST_BYTE_SECONDS: seconds.default(60),
  ANSWER_IDLE_SECONDS: seconds.default(30),
  UPSTREAM_CONNECTIONS: count.default(2_048),
  UPSTREAM_TOTAL: count.optional(),
};

/** All limits of a router. */
export interface Limits {
  server: EdgeLimits;
  body: BodyLimits;
  upstream: Partial<UpstreamLimits>;
}

const mostUpstream = 8_192;

/**
 * The limits that such an environment gives. `descriptors`: how many files and sockets the process may have open; where nothing
 * else is said, three quarters are for clients and the rest for cells, so that neither takes the other's.
 */
export function limitsOf(env: z.infer<z.ZodObject<typeof limitsEnvironment>>, descriptors?: number): Limits {
  const { limits: server, discardMs } = edgeLimitsOf(env, {}, descriptors);
  const { room } = shareOfClients(descriptors);
  const maxTotal = env.UPSTREAM_TOTAL ?? Math.min(mostUpstream, Math.max(4, room - server.maxClients));
  const ms = (value: number) => Math.round(value * 1_000);
  return {
    server,
    body: {
      maxBytes: Math.round(env.BODY_MIB * 1_048_576),
      replayBytes: 65_536,
      idleMs: ms(env.BODY_IDLE_SECONDS),
      discardMs,
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
