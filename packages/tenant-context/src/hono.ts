import { headers } from "@proveniq/contracts";
import type { MiddlewareHandler } from "hono";
import { resolveTenant, type TenantContext, type TenantPorts } from "./context.ts";

/** What handlers behind the middleware find in `c.var`. */
export interface TenantVariables<Db> {
  tenant: TenantContext<Db>;
}

/** Hono middleware: sets `c.var.tenant` or throws the ProblemError for the app's onError. */
export function tenantContext<Db>(
  ports: TenantPorts<Db>,
): MiddlewareHandler<{ Variables: TenantVariables<Db> }> {
  return async (c, next) => {
    const request = {
      path: pathOf(c.req.url),
      tenantHeader: c.req.header(headers.tenant),
      authorization: c.req.header("authorization"),
    };
    c.set("tenant", await resolveTenant(ports, request));
    await next();
  };
}

/** The path with its escapes: Hono's own is decoded, and a tenant id is never escaped. */
function pathOf(url: string): string {
  return url.slice(url.indexOf("/", url.indexOf("://") + 3));
}
