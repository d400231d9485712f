import type { ApiKeyRecord, AuditRecord } from "@proveniq/contracts";
import { defaultTenantSettings } from "@proveniq/contracts";
import { afterAll, describe, expect, inject, test } from "vitest";
import { AccessWriter, readAudit } from "../control/index.ts";
import { DatabasePool } from "../pool.ts";
import { AccessReader } from "./index.ts";

const allow = ["eu-partners", "eu-carriers"];
const pool = new DatabasePool({ projectId: "db-access", allow, emulatorHost: inject("firestoreHost") });
afterAll(() => pool.close());

const record = (keyId: string, more: Partial<ApiKeyRecord> = {}): ApiKeyRecord => ({
  keyId,
  tenantId: "atelier-nord",
  environment: "dev",
  label: "Test",
  secretHash: "a".repeat(64),
  scopes: ["items:read"],
  createdAt: "2026-05-01T12:00:00.000Z",
  expiresAt: null,
  revokedAt: null,
  ...more,
});
const audit = (action: string, second = 0): AuditRecord => ({
  at: `2026-05-01T12:00:${String(second).padStart(2, "0")}.000Z`,
  who: "operator",
  from: "desk",
  action,
  target: "atelier-nord",
  detail: {},
});
const place = { tenantId: "atelier-nord", databaseId: "eu-partners" };
const writer = new AccessWriter(pool, place);

describe("keys", () => {
  test("are added once, listed oldest first, found by id, and kept apart by tenant and database", async () => {
    await writer.addKey(
      record("bbbbbbbb", { createdAt: "2026-05-02T00:00:00.000Z" }),
      audit("key.create", 1),
    );
    await writer.addKey(record("aaaaaaaa"), audit("key.create", 2));
    const other = { ...record("aaaaaaaa"), secretHash: "b".repeat(64) };
    await expect(writer.addKey(other, audit("key.create", 3))).rejects.toThrow("another key");
    expect(await writer.addKey(record("aaaaaaaa"), audit("key.create", 3))).toEqual(record("aaaaaaaa"));
    expect((await writer.keys()).map((k) => k.keyId)).toEqual(["aaaaaaaa", "bbbbbbbb"]);

    const reader = new AccessReader({ pool });
    expect(await reader.key(place, "aaaaaaaa")).toEqual(record("aaaaaaaa"));
    expect(await reader.key({ ...place, tenantId: "nordic-mutual" }, "aaaaaaaa")).toBeUndefined();
    expect(await reader.key({ ...place, databaseId: "eu-carriers" }, "aaaaaaaa")).toBeUndefined();
    for (const id of ["", "../x", "AAAAAAAA", "a/b", "aaaaaaaaa"]) {
      expect(await reader.key(place, id)).toBeUndefined();
    }
  });

  test("that are revoked stay, and the cell knows within the TTL", async () => {
    const clock = { ms: 0 };
    const reader = new AccessReader({ pool, now: () => clock.ms });
    await writer.addKey(record("cccccccc"), audit("key.create", 4));
    expect((await reader.key(place, "cccccccc"))?.revokedAt).toBeNull();
    const revoked = await writer.revokeKey("cccccccc", audit("key.revoke", 5));
    expect(revoked?.revokedAt).toBe(audit("key.revoke", 5).at);
    clock.ms = 5_000;
    expect(await reader.key(place, "cccccccc")).toEqual(revoked);
    expect(await writer.revokeKey("cccccccc", audit("key.revoke", 6))).toEqual(revoked);
    expect(await writer.revokeKey("zzzzzzzz", audit("key.revoke", 7))).toBeUndefined();
  });
});

describe("settings", () => {
  test("are the defaults until something is set, then what was set", async () => {
    expect(await new AccessReader({ pool }).settings(place)).toEqual(defaultTenantSettings);
    await writer.changeSettings({ origins: ["https://app.example"] }, audit("tenant.set", 8));
    const all = await writer.changeSettings({ requestsPerSecond: 7 }, audit("tenant.set", 9));
    expect(all).toEqual({
      ...defaultTenantSettings,
      origins: ["https://app.example"],
      requestsPerSecond: 7,
    });
    expect(await new AccessReader({ pool }).settings(place)).toEqual(all);
    expect(await writer.settings()).toEqual(all);
  });

  test("that are wrong change nothing and are not recorded", async () => {
    const before = await readAudit(pool, "eu-partners");
    const wrong = writer.changeSettings({ origins: ["https://app.example/path"] }, audit("tenant.set", 10));
    await expect(wrong).rejects.toThrow("must be an origin");
    expect(await readAudit(pool, "eu-partners")).toEqual(before);
  });
});

test("each change is recorded once, with what was done when, and in this database only", async () => {
  const seconds = (await readAudit(pool, "eu-partners")).map((r) => [r.action, Number(r.at.slice(17, 19))]);
  expect(seconds).toEqual([
    ["key.create", 1],
    ["key.create", 2],
    ["key.create", 4],
    ["key.revoke", 5],
    ["tenant.set", 8],
    ["tenant.set", 9],
  ]);
  expect(await readAudit(pool, "eu-carriers")).toEqual([]);
});
