import { headers, type ProblemCode, ProblemError } from "@proveniq/contracts";
import type { MiddlewareHandler } from "hono";
import { resolveTenant, type TenantContext, type TenantPorts } from "./context.ts";

/** What handlers behind the middleware find in `c.var`. */
export interface TenantVariables<Db> {
  tenant: TenantContext<Db>;
}

/** A handler that fails with one of these has seen a newer claim than this middleware. */
const aboutClaims: ReadonlySet<string> = new Set<ProblemCode>([
  "misdirected-request",
  "tenant-paused",
  "tenant-suspended",
]);

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
    const tenant = await resolveTenant(ports, request);
    c.set("tenant", tenant);
    await next();
    if (c.error instanceof ProblemError && aboutClaims.has(c.error.code)) {
      ports.claims.forget?.(tenant.tenantId);
    }
  };
}

/** The path with its escapes: Hono's own is decoded, and a tenant id is never escaped. */
function pathOf(url: string): string {
  return url.slice(url.indexOf("/", url.indexOf("://") + 3));
}
