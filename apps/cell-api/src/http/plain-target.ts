import { ProblemError } from "@proveniq/contracts";
import { isPlainTarget, plainTargetRule } from "@proveniq/tenant-context/target";
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../deps.ts";

/**
 * Refuses what two servers could read in two ways, as the router does. The load balancer sends some requests
 * straight to a cell, by a path that it has read in its own way.
 */
export const plainTarget: MiddlewareHandler<AppEnv> = async (c, next) => {
  // As it was sent: a URL has no dots any more. Without a server, in tests, a URL is all there is.
  const target = c.env?.incoming?.url ?? c.req.url.slice(new URL(c.req.url).origin.length);
  if (!isPlainTarget(target)) throw new ProblemError("invalid-request", plainTargetRule);
  await next();
};
