import type { RequestQuota } from "@proveniq/tenant-context/quota";
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../deps.ts";
import { authorize, type Rule } from "./policy.ts";

/** Behind the tenant's context: count the request, then ask the policy. Refused requests count too. */
export function admit(rule: Rule | undefined, quota: RequestQuota): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { tenant } = c.var;
    c.set("quota", quota.take(tenant));
    authorize(rule, tenant.principal);
    await next();
  };
}
