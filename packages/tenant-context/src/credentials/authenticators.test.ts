import {
  type ApiKeyRecord,
  defaultTenantSettings,
  ProblemError,
  type TenantSettings,
} from "@proveniq/contracts";
import { describe, expect, it } from "vitest";
import { makeApiKey } from "./api-key.ts";
import type { TenantAccount } from "./authenticator.ts";
import { keysAndPeople } from "./either.ts";
import type { VerifiedToken } from "./id-token.ts";
import { keyAuthenticator } from "./keys.ts";
import { peopleAuthenticator } from "./people.ts";
import { cachedVerifier } from "./token-cache.ts";

const start = Date.parse("2026-05-01T12:00:00Z");

function account(more: { settings?: Partial<TenantSettings>; keys?: ApiKeyRecord[] } = {}): TenantAccount {
  return {
    settings: { ...defaultTenantSettings, ...more.settings },
    key: async (keyId) => more.keys?.find((k) => k.keyId === keyId),
  };
}

const outcome = (work: Promise<unknown>) =>
  work.then(
    (value) => value,
    (error: unknown) => (error instanceof ProblemError ? error.code : error),
  );

describe("keyAuthenticator", () => {
  async function setUp() {
    const { key, keyId, secretHash } = await makeApiKey("live", "carrier-a");
    const record: ApiKeyRecord = {
      keyId,
      tenantId: "carrier-a",
      environment: "live",
      label: "Test",
      secretHash,
      scopes: ["items:read"],
      createdAt: "2026-01-01T00:00:00Z",
      expiresAt: "2026-06-01T00:00:00Z",
      revokedAt: null,
    };
    const authenticate = keyAuthenticator({ environment: "live", now: () => start });
    return { key, record, authenticate };
  }

  it("admits a key of the tenant with its scopes and its end", async () => {
    const { key, record, authenticate } = await setUp();
    const proof = await authenticate(key, "carrier-a");
    expect(await proof.admit(account({ keys: [record] }))).toEqual({
      kind: "key",
      id: record.keyId,
      scopes: ["items:read"],
      expiresAtMs: Date.parse("2026-06-01T00:00:00Z"),
    });
  });

  it("refuses, before anything is looked up, what cannot be a key of this tenant here", async () => {
    const { key, authenticate } = await setUp();
    const development = await makeApiKey("dev", "carrier-a");
    for (const [credential, tenant] of [
      [undefined, "carrier-a"],
      ["", "carrier-a"],
      [key.slice(0, -1), "carrier-a"],
      [key, "carrier-b"],
      [development.key, "carrier-a"],
    ] as const) {
      expect(await outcome(authenticate(credential, tenant))).toBe("unauthenticated");
    }
  });

  it("refuses a key that the tenant does not know or has revoked", async () => {
    const { key, record, authenticate } = await setUp();
    const proof = await authenticate(key, "carrier-a");
    expect(await outcome(proof.admit(account()))).toBe("unauthenticated");
    const revoked = { ...record, revokedAt: "2026-04-01T00:00:00Z" };
    expect(await outcome(proof.admit(account({ keys: [revoked] })))).toBe("unauthenticated");
  });
});

describe("peopleAuthenticator", () => {
  const issuers = ["https://first.test", "https://second.test"].map((issuer) => ({
    issuer,
    audience: "a",
    jwks: `${issuer}/jwks`,
    algorithm: "RS256" as const,
  }));
  const token: VerifiedToken = {
    issuer: "https://first.test",
    subject: "u_1",
    tenant: undefined,
    identityTenant: null,
    staff: false,
    expiresAtMs: start + 60_000,
  };
  const enter = async (
    more: Partial<VerifiedToken>,
    tenant: string,
    settings: Partial<TenantSettings> = {},
    defaultTenant: string | undefined = "consumers",
  ) => {
    const verify = async () => ({ ...token, ...more });
    const authenticate = peopleAuthenticator({
      verify,
      issuers,
      ...(defaultTenant === "" ? {} : { defaultTenant }),
    });
    return outcome(authenticate("a.b.c", tenant).then((proof) => proof.admit(account({ settings }))));
  };

  it("makes a person the owner of what is theirs, and of nothing else", async () => {
    expect(await enter({}, "consumers")).toEqual({
      kind: "person",
      id: "u_1",
      ownerId: "u_1",
      scopes: ["items:read", "items:write"],
      expiresAtMs: start + 60_000,
    });
  });

  it("gives staff the tenant's book", async () => {
    const principal = await enter({ tenant: "carrier-a", staff: true }, "carrier-a");
    expect(principal).toMatchObject({ kind: "staff", scopes: ["items:read", "items:write", "imports"] });
    expect(principal).not.toHaveProperty("ownerId");
  });

  it.each<[string, Partial<VerifiedToken>, string, Partial<TenantSettings>?, string?]>([
    ["a token of one tenant for another", { tenant: "carrier-a" }, "carrier-b"],
    ["a token without a tenant for a partner", {}, "carrier-a"],
    ["a token without a tenant where there is no default", {}, "consumers", {}, ""],
    ["a partner's token for the default tenant", { tenant: "carrier-a" }, "consumers"],
    ["a person with the tenant's own name", { subject: "consumers" }, "consumers"],
    ["an identity tenant where the tenant has none", { identityTenant: "x" }, "consumers"],
    ["no identity tenant where the tenant has one", {}, "consumers", { identityTenant: "x" }],
    ["another identity tenant", { identityTenant: "y" }, "consumers", { identityTenant: "x" }],
    ["another issuer of the cell", { issuer: "https://second.test" }, "consumers"],
    [
      "the first issuer where the tenant chose the second",
      {},
      "consumers",
      { issuer: "https://second.test" },
    ],
  ])("refuses %s", async (_, more, tenant, settings, defaultTenant) => {
    expect(await enter(more, tenant, settings, defaultTenant)).toBe("unauthenticated");
  });

  it("admits by the identity tenant and the issuer that the tenant chose", async () => {
    const settings = { identityTenant: "carrier-a-x1", issuer: "https://second.test" };
    const more = { tenant: "carrier-a", identityTenant: "carrier-a-x1", issuer: "https://second.test" };
    expect(await enter(more, "carrier-a", settings)).toMatchObject({ kind: "person" });
  });
});

describe("keysAndPeople", () => {
  it("tells them apart by their looks", async () => {
    const seen: string[] = [];
    const noting = (name: string) => () => {
      seen.push(name);
      return Promise.reject(new ProblemError("unauthenticated"));
    };
    const authenticate = keysAndPeople(noting("keys"), noting("people"));
    for (const text of ["a.b.c", "pvq_live_x", undefined]) await outcome(authenticate(text, "carrier-a"));
    expect(seen).toEqual(["people", "keys", "keys"]);
  });
});

describe("cachedVerifier", () => {
  function setUp(expiresAtMs: number) {
    const clock = { ms: start };
    const verified: string[] = [];
    const verify = cachedVerifier(
      async (text) => {
        verified.push(text);
        if (text === "bad") throw new ProblemError("unauthenticated");
        return {
          issuer: "i",
          subject: text,
          tenant: undefined,
          identityTenant: null,
          staff: false,
          expiresAtMs,
        };
      },
      { sha256: (text) => `digest of ${text}`, now: () => clock.ms, maxEntries: 2 },
    );
    return { clock, verified, verify };
  }

  it("verifies once a minute, and never believes a token beyond its end", async () => {
    const { clock, verified, verify } = setUp(start + 90_000);
    for (const [ms, times] of [
      [0, 1],
      [59_999, 1],
      [60_000, 2],
      [89_999, 2],
      [90_000, 3],
      [90_001, 4],
    ] as const) {
      clock.ms = start + ms;
      await verify("a");
      expect([ms, verified.length]).toEqual([ms, times]);
    }
  });

  it("remembers nothing that was refused, keeps people apart, and is bounded", async () => {
    const { verified, verify } = setUp(start + 90_000);
    for (let n = 0; n < 2; n += 1) expect(await outcome(verify("bad"))).toBe("unauthenticated");
    expect((await verify("a")).subject).toBe("a");
    expect((await verify("b")).subject).toBe("b");
    expect((await verify("c")).subject).toBe("c");
    expect((await verify("a")).subject).toBe("a");
    expect(verified).toEqual(["bad", "bad", "a", "b", "c", "a"]);
  });
});
