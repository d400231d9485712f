import { DeployBook, Registry } from "@proveniq/db/control";
import { DatabasePool } from "@proveniq/db/pool";
import { parseApiKey } from "@proveniq/tenant-context/credentials";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { Connections } from "../connections.ts";
import { createKey, getTenantSettings, listAudit, listKeys, revokeKey, setTenantSettings } from "./index.ts";

const emulatorHost = inject("firestoreHost");
const control = new DatabasePool({ projectId: "access-central", allow: ["control"], emulatorHost });
const eu = new DatabasePool({
  projectId: "access-eu",
  allow: ["eu-partners", "eu-carriers", "market"],
  emulatorHost,
});
const connections: Pick<Connections, "control" | "cell" | "deploys"> = {
  control: new Registry(control, "control"),
  deploys: new DeployBook(control, "control"),
  cell: () => eu,
};
const issuer = "https://securetoken.google.com/proveniq-prod-eu";
const fleet = {
  manifests: {
    eu: {
      databases: [
        { id: "eu-partners", location: "europe-west1" as const },
        { id: "eu-carriers", location: "europe-west1" as const },
      ],
      marketDatabase: { id: "market", location: "europe-west1" as const },
      issuers: [{ issuer, audience: "a", jwks: "https://keys.test", algorithm: "RS256" as const }],
    },
  },
};
const origin = { who: "operator", from: "desk" };
const at = "2026-05-01T12:00:00.000Z";
const now = () => new Date(at);

beforeAll(async () => {
  for (const [tenantId, databaseId] of [
    ["atelier-nord", "eu-partners"],
    ["nordic-mutual", "eu-carriers"],
  ] as const) {
    const place = { tenantId, databaseId, name: tenantId, cellId: "eu", residency: "eu" as const, hosts: [] };
    await connections.control.add({ ...place, epoch: 1, createdAt: at, updatedAt: at }, origin);
  }
});
afterAll(() => Promise.all([control.close(), eu.close()]));

describe("keys", () => {
  test("are made, shown once, listed without their hash, rotated and revoked", async () => {
    const wanted = {
      tenantId: "nordic-mutual",
      label: "Nightly",
      scopes: ["imports", "items:read"] as const,
    };
    const first = await createKey(
      connections,
      "live",
      { ...wanted, scopes: [...wanted.scopes] },
      origin,
      now,
    );
    const expiresAt = new Date("2026-06-01T00:00:00Z");
    const second = await createKey(
      connections,
      "live",
      { ...wanted, scopes: ["items:read"], expiresAt },
      origin,
      now,
    );
    expect(parseApiKey(first.key)).toMatchObject({ tenantId: "nordic-mutual", environment: "live" });
    expect(first.summary).toMatchObject({
      scopes: ["items:read", "imports"],
      state: "active",
      expiresAt: null,
    });

    const listed = await listKeys(connections, "nordic-mutual", now);
    expect(listed.map((k) => `${k.keyId} ${k.state}`).sort()).toEqual(
      [first, second].map((k) => `${k.summary.keyId} active`).sort(),
    );
    expect(JSON.stringify(listed)).not.toMatch(/secretHash|[0-9a-f]{64}/);
    expect(await listKeys(connections, "atelier-nord", now)).toEqual([]);

    const revoked = await revokeKey(connections, "nordic-mutual", first.summary.keyId, origin, now);
    expect(revoked.state).toBe("revoked");
    const later = () => new Date("2026-06-01T00:00:00Z");
    const states = (await listKeys(connections, "nordic-mutual", later)).map((k) => k.state).sort();
    expect(states).toEqual(["expired", "revoked"]);
  });

  test.each([
    [
      "an unknown tenant",
      { tenantId: "nobody", label: "x", scopes: ["imports" as const] },
      'no tenant "nobody"',
    ],
    ["no scope", { tenantId: "atelier-nord", label: "x", scopes: [] }, "at least one scope"],
    ["no label", { tenantId: "atelier-nord", label: "", scopes: ["imports" as const] }, "label"],
    [
      "an end in the past",
      { tenantId: "atelier-nord", label: "x", scopes: ["imports" as const], expiresAt: new Date(at) },
      "expired already",
    ],
  ])("are refused for %s", async (_, wanted, message) => {
    await expect(createKey(connections, "live", wanted, origin, now)).rejects.toThrow(message);
  });

  test.each(["zzzzzzzz", "", "../x"])("that do not exist (%j) cannot be revoked", async (keyId) => {
    await expect(revokeKey(connections, "atelier-nord", keyId, origin, now)).rejects.toThrow("has no key");
  });
});

describe("settings", () => {
  test("change one by one", async () => {
    await setTenantSettings(
      connections,
      fleet,
      "atelier-nord",
      { origins: ["https://app.test"] },
      origin,
      now,
    );
    await setTenantSettings(connections, fleet, "atelier-nord", { issuer }, origin, now);
    expect(await getTenantSettings(connections, "atelier-nord")).toEqual({
      issuer,
      identityTenant: null,
      origins: ["https://app.test"],
      requestsPerSecond: null,
    });
  });

  test.each([
    [{ origins: ["https://app.test/x"] }, "must be an origin"],
    [{ requestsPerSecond: 0 }, "requestsPerSecond"],
    [{ issuer: "https://evil.test" }, "trusts no issuer"],
  ])("that make no sense are refused: %j", async (change, message) => {
    const setting = setTenantSettings(connections, fleet, "atelier-nord", change, origin, now);
    await expect(setting).rejects.toThrow(message);
  });
});

test("audit tells all of it, with who, when, what and from where, and never a secret", async () => {
  const all = await listAudit(connections, fleet);
  expect(all.map((r) => `${r.action} ${r.target}`).sort()).toEqual([
    "key.create nordic-mutual",
    "key.create nordic-mutual",
    "key.revoke nordic-mutual",
    "tenant.add atelier-nord",
    "tenant.add nordic-mutual",
    "tenant.set atelier-nord",
    "tenant.set atelier-nord",
  ]);
  for (const record of all) expect(record).toMatchObject({ at, ...origin });
  expect(JSON.stringify(all)).not.toMatch(/pvq_|[0-9a-f]{64}/);
  const one = await listAudit(connections, fleet, "atelier-nord");
  expect(one.map((r) => r.action).sort()).toEqual(["tenant.add", "tenant.set", "tenant.set"]);
});
