import { defaultTenantSettings } from "@proveniq/contracts";
import { developmentAuthenticator } from "@proveniq/tenant-context/credentials";
import { createApp } from "../app.ts";
import type { AppDeps } from "../deps.ts";
import { silentLogger } from "../log.ts";
import { type Call, clientOf, testCredential } from "./client.ts";

/** Ports that verify the development credential and find no tenant. */
export const strandedTenants: AppDeps["tenants"] = {
  authenticate: developmentAuthenticator({
    credential: testCredential,
    environment: "development",
    warn: () => {},
  }),
  claims: { read: async () => undefined },
  access: { key: async () => undefined, settings: async () => defaultTenantSettings },
  openTenant: () => {
    throw new Error("there is no tenant to open");
  },
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
    dependencies: [],
    logger: silentLogger,
    now: () => 90_500,
    ...more,
  });
  return { app, call: clientOf(app) };
}
