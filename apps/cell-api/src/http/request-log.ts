import { createHash, randomUUID } from "node:crypto";
import { headers, ProblemError, randomHex, readTraceparent, writeTraceparent } from "@proveniq/contracts";
import type { MiddlewareHandler } from "hono";
import type { AppDeps, AppEnv } from "../deps.ts";
import { within } from "../telemetry/scope.ts";
import type { Traffic } from "./traffic.ts";

const requestIdPattern = /^[A-Za-z0-9._-]{1,128}$/;
const processRoutes: ReadonlySet<string> = new Set(["/health", "/ready", "/v1/cell"]);

/** First of all: the request's id and trace, one line in the log, and its count. */
export function requestLog(
  { logger, now }: Pick<AppDeps, "logger" | "now">,
  traffic: Traffic,
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const started = now();
    const given = c.req.header(headers.requestId);
    const requestId = given !== undefined && requestIdPattern.test(given) ? given : randomUUID();
    c.set("requestId", requestId);
    const traceId = readTraceparent(c.req.header(headers.traceparent))?.traceId ?? randomHex(16);
    c.set("traceId", traceId);
    await within({ requestId, traceId }, next);
    c.header(headers.requestId, requestId);
    c.header(headers.traceresponse, writeTraceparent({ traceId, spanId: randomHex(8), sampled: false }));

    const tenant = c.get("tenant");
    const error = c.error;
    // What an operator has paused has not failed.
    const failed = c.res.status >= 500 && !(error instanceof ProblemError && error.code === "imports-paused");
    // Who asks for the cell itself, and not for a tenant, would thin out the rate of failures.
    if (!processRoutes.has(c.get("route") ?? "none")) traffic.count(failed);
    const fields = {
      requestId,
      traceId,
      method: c.req.method,
      route: c.get("route") ?? "none",
      status: c.res.status,
      code: error instanceof ProblemError ? error.code : undefined,
      ms: now() - started,
      tenant: tenant === undefined ? undefined : pseudonym(tenant.tenantId),
      principal: tenant?.principal.kind,
    };
    if (error !== undefined && !(error instanceof ProblemError)) {
      logger.error({ ...fields, error: describe(error) }, "request failed");
    } else if (error !== undefined && failed) {
      logger.warn({ ...fields, error: describe(error.cause) }, "request failed");
    } else if (tenant === undefined && c.res.ok) logger.debug(fields, "request");
    else logger.info(fields, "request");
  };
}

/** Enough to tell tenants apart in a log, not who they are. */
function pseudonym(tenantId: string): string {
  return createHash("sha256").update(tenantId).digest("hex").slice(0, 12);
}

/** For operators only: clients are told nothing of it. */
function describe(error: unknown): object | undefined {
  if (!(error instanceof Error)) return undefined;
  return { type: error.name, message: error.message.slice(0, 500), stack: error.stack?.slice(0, 4000) };
}
