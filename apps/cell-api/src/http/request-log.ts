import { headers, ProblemError, readTraceparent, writeTraceparent } from "@proveniq/contracts";
import type { AccessLine } from "@proveniq/contracts/access-line";
import { requestIdOf, tenantHash } from "@proveniq/http-edge";
import type { Context, MiddlewareHandler } from "hono";
import type { AppDeps, AppEnv } from "../deps.ts";
import { describeError } from "../log.ts";
import { untraced } from "../telemetry/tracing.ts";
import { callOf } from "./call.ts";
import type { Traffic } from "./traffic.ts";

const processRoutes: ReadonlySet<string> = new Set(["/health", "/ready", "/v1/cell"]);
const probes: ReadonlySet<string> = new Set(["/health", "/ready"]);

/** First of all: the request's id and trace; when its answer has been written one line in the log, and its count. */
export function requestLog(
  { logger, now, tracing = untraced }: Pick<AppDeps, "logger" | "now" | "tracing">,
  traffic: Traffic,
): MiddlewareHandler<AppEnv> {
  const told = (c: Context<AppEnv>, requestId: string, traceId: string, started: number) => {
    const tenant = c.get("tenant");
    const error = c.error;
    const ended = callOf(c.env?.incoming)?.ending;
    // What an operator has paused has not failed, and nor has what nobody waits for any more.
    const failed =
      ended === undefined &&
      c.res.status >= 500 &&
      !(error instanceof ProblemError && error.code === "imports-paused");
    // Who asks for the cell itself, and not for a tenant, would thin out the rate of failures.
    if (!processRoutes.has(c.get("route") ?? "none")) traffic.count(failed);
    const fields = {
      requestId,
      traceId,
      method: c.req.method,
      route: c.get("route") ?? "none",
      status: ended?.status ?? c.res.status,
      problem: ended === undefined ? (error instanceof ProblemError ? error.code : undefined) : ended.problem,
      failure: ended?.failure,
      reason: c.get("reason"),
      totalMs: now() - started,
      tenant: tenant === undefined ? undefined : tenantHash(tenant.tenantId),
      principal: tenant?.principal.kind,
    } satisfies Partial<AccessLine>;
    if (ended !== undefined) logger.info(fields, "request");
    else if (error !== undefined && !(error instanceof ProblemError)) {
      logger.error({ ...fields, error: describeError(error) }, "request failed");
    } else if (error !== undefined && failed) {
      logger.warn({ ...fields, error: describeError(error.cause) }, "request failed");
    } else if (tenant === undefined && c.res.ok) logger.debug(fields, "request");
    else logger.info(fields, "request");
    return fields;
  };

  return async (c, next) => {
    const call = callOf(c.env?.incoming);
    // The server has answered it, and told of it, before this was called.
    if (call?.answered === true) return;
    const started = now();
    const requestId = requestIdOf(c.req.header(headers.requestId));
    c.set("requestId", requestId);
    const caller = readTraceparent(c.req.header(headers.traceparent));
    const span = tracing.begin(caller, probes.has(c.req.path));
    c.set("traceId", span.traceId);
    call?.seen({ requestId, traceId: span.traceId });
    await span.run(requestId, async () => {
      await next();
      c.header(headers.requestId, requestId);
      c.header(headers.traceresponse, writeTraceparent(span));
    });
    const tell = () => span.run(requestId, () => span.end(told(c, requestId, span.traceId, started)));
    // One line a request: what becomes of its answer belongs into it.
    if (call === undefined) tell();
    else call.tellAtEnd(tell);
  };
}
