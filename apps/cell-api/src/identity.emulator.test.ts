import { defaultTenantSettings, me, type Scope, type TenantSettings } from "@proveniq/contracts";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { codeOf } from "./testing/client.ts";
import { type EmulatedCell, emulatedCell } from "./testing/emulated-cell.ts";
import { makeTestKey, testKeyOf, testToken } from "./testing/identity.ts";

let cell: EmulatedCell;
const tenants = ["carrier-a", "carrier-b", "slow", "paged"];
beforeAll(async () => {
  cell = await emulatedCell(inject("firestoreHost"), tenants);
  await settle("slow", { requestsPerSecond: 1 });
  await settle("paged", { origins: ["https://app.paged.test"], identityTenant: "paged-x1" });
});
afterAll(() => cell.close());

const databaseOf = (tenant: string) =>
  cell.config.manifest.databases[tenants.indexOf(tenant) % cell.config.manifest.databases.length]?.id ?? "";

async function put(tenant: string, path: string, data: object): Promise<void> {
  await (await cell.pool.open(databaseOf(tenant))).doc(`tenants/${tenant}/${path}`).set(data);
}

const settle = (tenant: string, settings: Partial<TenantSettings>) =>
  put(tenant, "settings/current", { ...defaultTenantSettings, ...settings });

async function keyWith(tenant: string, scopes: Scope[], more: object = {}): Promise<Record<string, string>> {
  const { key, record } = await makeTestKey(tenant, scopes);
  await put(tenant, `apiKeys/${record.keyId}`, { ...record, ...more });
  return { authorization: `Bearer ${key}` };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const item = { title: "Ring", category: "jewellery" };

describe("GET /v1/me", () => {
  it("200: a key", async () => {
    const { record } = await testKeyOf("carrier-a");
    expect(me.parse((await cell.call("GET", "/v1/me")).body)).toEqual({
      tenantId: "carrier-a",
      kind: "key",
      id: record.keyId,
      scopes: ["items:read", "items:write", "imports", "admin"],
      expiresAt: null,
      quota: { requestsPerSecond: 500, burst: 5_000 },
    });
  });

  it("200: a person, staff, and a key that is good for nothing else", async () => {
    const person = me.parse((await cell.call("GET", "/v1/me", { as: "u_1" })).body);
    expect(person).toMatchObject({ kind: "person", ownerId: "u_1", quota: { requestsPerSecond: 20 } });
    expect(Date.parse(person.expiresAt ?? "")).toBeGreaterThan(Date.now());
    const staff = bearer(testToken({ sub: "s_1", tenant: "carrier-a", role: "staff" }));
    expect((await cell.call("GET", "/v1/me", { as: null, headers: staff })).body).toMatchObject({
      kind: "staff",
      scopes: ["items:read", "items:write", "imports"],
    });
    const headers = await keyWith("carrier-a", ["admin"]);
    expect((await cell.call("GET", "/v1/me", { as: null, headers })).status).toBe(200);
  });
});

describe("scopes", () => {
  it("403: reading without items:read, writing without items:write; the data stays as it was", async () => {
    const reader = await keyWith("carrier-a", ["items:read"]);
    const writer = await keyWith("carrier-a", ["items:write"]);
    const path = "/v1/items/b7Jq2mX9aL0cV4tR8sWd";
    for (const [method, at, headers, body, code] of [
      ["GET", "/v1/items", writer, undefined, "forbidden"],
      ["GET", path, writer, undefined, "forbidden"],
      ["POST", "/v1/items", reader, item, "forbidden"],
      ["PATCH", path, reader, { title: "x" }, "forbidden"],
      ["DELETE", path, reader, undefined, "forbidden"],
      ["GET", "/v1/items", reader, undefined, undefined],
      ["DELETE", path, writer, undefined, "not-found"],
    ] as const) {
      const answer = await cell.call(method, at, { as: null, headers, body });
      expect([method, at, codeOf(answer)]).toEqual([method, at, code]);
    }
  });
});

describe("keys", () => {
  it("401: expired, revoked, of another environment, of another tenant, or unknown to this one", async () => {
    for (const [tenant, more] of [
      ["carrier-a", { expiresAt: "2020-01-01T00:00:00Z" }],
      ["carrier-a", { revokedAt: "2020-01-01T00:00:00Z" }],
      ["carrier-a", { environment: "live" }],
      ["carrier-a", { tenantId: "carrier-b" }],
      ["carrier-a", { secretHash: "0".repeat(64) }],
    ] as const) {
      const headers = await keyWith(tenant, ["items:read"], more);
      const answer = await cell.call("GET", "/v1/items", { as: null, headers });
      expect([more, codeOf(answer)]).toEqual([more, "unauthenticated"]);
    }
    const { key } = await makeTestKey("carrier-a");
    const unknown = await cell.call("GET", "/v1/items", { as: null, headers: bearer(key) });
    expect(codeOf(unknown)).toBe("unauthenticated");
  });

  it("200: two at once, so that they can be rotated", async () => {
    for (const headers of [
      await keyWith("carrier-a", ["items:read"]),
      await keyWith("carrier-a", ["items:read"]),
    ]) {
      expect((await cell.call("GET", "/v1/items", { as: null, headers })).status).toBe(200);
    }
  });
});

describe("people", () => {
  it("401: of another identity tenant, or of none where the tenant has one", async () => {
    const token = (firebase: object) => bearer(testToken({ sub: "u_1", tenant: "paged", firebase }));
    for (const [firebase, status] of [
      [{ tenant: "paged-x1" }, 200],
      [{ tenant: "paged-x2" }, 401],
      [{}, 401],
    ] as const) {
      const headers = token(firebase);
      expect((await cell.call("GET", "/v1/items", { as: null, headers })).status).toBe(status);
    }
  });

  it("see nothing of one another; staff sees all", async () => {
    const body = { ...item, externalId: "e-1" };
    const mine = await cell.call("POST", "/v1/items", { as: "u_1", tenant: "carrier-b", body });
    const { id } = mine.body as { id: string };
    const path = `/v1/items/${id}`;
    const missing = await cell.call("GET", "/v1/items/b7Jq2mX9aL0cV4tR8sWd", {
      as: "u_2",
      tenant: "carrier-b",
    });
    for (const [method, change] of [
      ["GET", undefined],
      ["PATCH", { title: "mine now" }],
      ["DELETE", undefined],
    ] as const) {
      const answer = await cell.call(method, path, { as: "u_2", tenant: "carrier-b", body: change });
      expect([answer.status, answer.text]).toEqual([404, missing.text]);
    }
    expect((await cell.call("POST", "/v1/items", { as: "u_2", tenant: "carrier-b", body })).status).toBe(201);
    const headers = bearer(testToken({ sub: "s_1", tenant: "carrier-b", role: "staff" }));
    const seen = await cell.call("GET", path, { as: null, headers });
    expect(seen.body).toMatchObject({ id, title: "Ring", ownerId: "u_1" });
  });
});

describe("quota", () => {
  it("429: with where one stands, and when to come again; others are served", async () => {
    const call = () => cell.call("GET", "/v1/me", { tenant: "slow" });
    const first = await call();
    expect(first.headers.get("ratelimit-policy")).toBe('"tenant";q=10;w=10');
    expect(first.headers.get("ratelimit")).toBe('"tenant";r=9;t=1');
    const statuses: number[] = [];
    for (let n = 0; n < 12; n += 1) statuses.push((await call()).status);
    expect(statuses.filter((s) => s === 200).length).toBeGreaterThanOrEqual(9);
    const refused = await call();
    expect(codeOf(refused)).toBe("too-many-requests");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(refused.headers.get("ratelimit")).toMatch(/^"tenant";r=0;t=\d+$/);
    expect((await cell.call("GET", "/v1/me")).status).toBe(200);
  });
});

describe("browsers", () => {
  const from = (origin: string) => ({ origin });

  it("may read a tenant's answers from its origins only, and what went wrong before from anywhere", async () => {
    const token = testToken({ sub: "u_1", tenant: "paged", firebase: { tenant: "paged-x1" } });
    const ask = (origin: string, more: Record<string, string>) =>
      cell.call("GET", "/v1/me", { as: null, headers: { ...from(origin), ...more } });
    const own = await ask("https://app.paged.test", bearer(token));
    expect(own.headers.get("access-control-allow-origin")).toBe("https://app.paged.test");
    for (const name of ["ETag", "Location", "Retry-After", "RateLimit", "RateLimit-Policy"]) {
      expect(own.headers.get("access-control-expose-headers")).toContain(name);
    }
    for (const origin of [
      "https://evil.test",
      "https://app.paged.test.evil.test",
      "null",
      "http://app.paged.test",
    ]) {
      const other = await ask(origin, bearer(token));
      expect([origin, other.status, other.headers.get("access-control-allow-origin")]).toEqual([
        origin,
        200,
        null,
      ]);
    }
    const refused = await ask("https://evil.test", { "x-tenant-id": "paged" });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([401, "*"]);
    for (const answer of [own, refused]) {
      expect(answer.headers.has("access-control-allow-credentials")).toBe(false);
      expect(answer.headers.get("vary")).toContain("Origin");
    }
  });

  it("204: a preflight, for any path and origin", async () => {
    const headers = { ...from("https://any.test"), "access-control-request-method": "POST" };
    const answer = await cell.call("OPTIONS", "/t/nobody/v1/items", { as: null, headers });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([204, "*"]);
  });
});
