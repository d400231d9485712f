import { exposedHeaders, isPreflight, preflightHeaders } from "@proveniq/contracts";
import type { Context, MiddlewareHandler } from "hono";
import type { AppEnv } from "../deps.ts";

/** What every answer carries: it is for the caller alone, loads nothing, and is shown in no frame. */
const always: Readonly<Record<string, string>> = {
  "cache-control": "private, no-store",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=63072000; includeSubDomains",
  "x-content-type-options": "nosniff",
};
const contentPolicy = "default-src 'none'; frame-ancestors 'none'";

/** Second of all: adds to every answer what browsers and callers should know. */
export const answerHeaders: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (!isPreflight(c.req.method, (name) => c.req.header(name))) {
    c.header("vary", "Authorization, Origin, X-Tenant-ID");
    for (const [name, value] of Object.entries(c.get("quota") ?? {})) c.header(name, value);
    allowOrigin(c);
  }
  for (const [name, value] of Object.entries(always)) c.header(name, value);
  if (!c.res.headers.has("content-security-policy")) c.header("content-security-policy", contentPolicy);
};

/** What a browser may send is the same for every tenant: nothing is looked up for it. */
export const preflights: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!isPreflight(c.req.method, (name) => c.req.header(name))) return next();
  c.res = new Response(null, { status: 204, headers: preflightHeaders });
};

/**
 * Answers of a tenant may be read by pages of its origins. What was answered before a tenant was reached holds nothing
 * of anybody's: every page may learn from it what went wrong.
 */
function allowOrigin(c: Context<AppEnv>): void {
  const origin = c.req.header("origin");
  if (origin === undefined) return;
  const tenant = c.get("tenant");
  if (tenant === undefined) c.header("access-control-allow-origin", "*");
  else if (tenant.settings.origins.includes(origin)) c.header("access-control-allow-origin", origin);
  else return;
  c.header("access-control-expose-headers", exposedHeaders);
}
