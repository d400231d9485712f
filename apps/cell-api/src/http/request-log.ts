import { createHash, randomUUID } from "node:crypto";
import { headers, ProblemError } from "@proveniq/contracts";
import type { MiddlewareHandler } from "hono";
import type { AppDeps, AppEnv } from "../deps.ts";

const requestIdPattern = /^[A-Za-z0-9._-]{1,128}$/;
const traceparentPattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** First of all: the request's id, the headers every answer carries, and one line in the log. */
export function requestLog({ logger, now }: Pick<AppDeps, "logger" | "now">): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const started = now();
    const given = c.req.header(headers.requestId);
    const requestId = given !== undefined && requestIdPattern.test(given) ? given : randomUUID();
    c.set("requestId", requestId);
    await next();
    c.header(headers.requestId, requestId);
    c.header("cache-control", "private, no-store");
    c.header("x-content-type-options", "nosniff");
    c.header("vary", "Authorization, X-Tenant-ID");

    const tenant = c.get("tenant");
    const error = c.error;
    const fields = {
      requestId,
      trace: traceparentPattern.exec(c.req.header(headers.traceparent) ?? "")?.[1],
      method: c.req.method,
      route: c.get("route") ?? "none",
      status: c.res.status,
      code: error instanceof ProblemError ? error.code : undefined,
      ms: now() - started,
      tenant: tenant === undefined ? undefined : pseudonym(tenant.tenantId),
      principal: tenant?.principal.kind,
    };
    if (c.res.status >= 500) logger.error({ ...fields, error: describe(error) }, "request failed");
    else if (c.get("tenant") === undefined && c.res.ok) logger.debug(fields, "request");
    else logger.info(fields, "request");
  };
}

/** Enough to tell tenants apart in a log, not who they are. */
function pseudonym(tenantId: string): string {
  return createHash("sha256").update(tenantId).digest("hex").slice(0, 12);
}

/** For operators only; a ProblemError's cause is what really happened. */
function describe(error: Error | undefined): object | undefined {
  if (error === undefined) return undefined;
  const cause = error instanceof ProblemError && error.cause instanceof Error ? error.cause : error;
  return { type: cause.name, message: cause.message.slice(0, 500), stack: cause.stack?.slice(0, 4000) };
}
