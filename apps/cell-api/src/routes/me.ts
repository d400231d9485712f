import { type Me, me, type PrincipalKind } from "@proveniq/contracts";
import type { Route } from "./route.ts";

export const getMe: Route = {
  method: "get",
  path: "/me",
  scope: "tenant",
  operationId: "getMe",
  summary: "Who am I",
  description: "What the credential stands for, what it may do, until when, and how often.",
  answers: { 200: { description: "The caller, as the cell sees them", schema: me } },
  problems: [],
  handle(c, { quota }) {
    const { tenant } = c.var;
    const { kind, id, ownerId, scopes, expiresAtMs } = tenant.principal;
    return c.json({
      tenantId: tenant.tenantId,
      kind: kind satisfies PrincipalKind,
      id,
      ...(ownerId === undefined ? {} : { ownerId }),
      scopes: [...scopes],
      expiresAt: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
      quota: quota.describe(tenant),
    } satisfies Me);
  },
};
