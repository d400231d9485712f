import { hash } from "node:crypto";
import { defaultTenantSettings } from "@proveniq/contracts";
import {
  keyAuthenticator,
  keysAndPeople,
  peopleAuthenticator,
  tokenVerifier,
} from "@proveniq/tenant-context/credentials";
import { RequestQuota } from "@proveniq/tenant-context/quota";
import { createApp } from "../app.ts";
import type { AppDeps } from "../deps.ts";
import { silentLogger } from "../log.ts";
import { Portfolios } from "../portfolio/portfolios.ts";
import { type Call, clientOf } from "./client.ts";
import { testIssuer } from "./identity.ts";

const sha256 = (text: string) => hash("sha256", text);

/** Ports that verify keys and tokens and find no tenant. */
export const strandedTenants: AppDeps["tenants"] = {
  authenticate: keysAndPeople(
    keyAuthenticator({ environment: "dev", sha256 }),
    peopleAuthenticator({ verify: tokenVerifier({ issuers: [testIssuer] }), issuers: [testIssuer] }),
  ),
  claims: { read: async () => undefined },
  access: { key: async () => undefined, settings: async () => defaultTenantSettings },
  openTenant: () => {
    throw new Error("there is no tenant to open");
  },
};

const noMarket: AppDeps["market"] = {
  values: async () => ({ values: new Map(), replica: { sequence: 0, ageSeconds: null } }),
  status: async () => ({ sequence: 0, ageSeconds: null }),
};

/** An app that owns no tenant and has no database: for everything that must be answered before one is needed. */
export function strandedApp(more: Partial<AppDeps> = {}): { call: Call; app: ReturnType<typeof createApp> } {
  const app = createApp({
    cell: {
      id: "eu",
      region: "europe-west1",
      residency: "eu",
      artefactDigest: "0".repeat(64),
      commit: "test",
      startedAt: 0,
    },
    tenants: strandedTenants,
    quota: new RequestQuota({ tenantRequestsPerSecond: 500, personRequestsPerSecond: 20, share: () => 1 }),
    market: noMarket,
    portfolios: new Portfolios({ market: noMarket, logger: silentLogger }),
    dependencies: [],
    logger: silentLogger,
    now: () => 90_500,
    ...more,
  });
  return { app, call: clientOf(app) };
}
