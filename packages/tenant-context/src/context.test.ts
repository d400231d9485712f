import type { Claim } from "@proveniq/contracts";
import { defaultTenantSettings, ProblemError, scope } from "@proveniq/contracts";
import { describe, expect, it } from "vitest";
import { type Binding, resolveTenant, type TenantPorts, type TenantRequest } from "./context.ts";
import { type Authenticator, type TenantAccount, unauthenticated } from "./credentials/index.ts";

const credential = "for-tests-only";
const all = { scopes: scope.options, expiresAtMs: null };

/** `<credential>` is a partner's key, `<credential>.<subject>` a person. `<credential>.unknown` is genuine and unknown to the tenant. */
const authenticate: Authenticator = async (given) => {
  const match = /^for-tests-only(?:\.([a-z_0-9]+))?$/.exec(given ?? "");
  if (match === null) throw unauthenticated();
  const [, id] = match;
  return {
    admit: async (account) => {
      if (id === "unknown") throw unauthenticated();
      seen.push(account);
      return id === undefined
        ? { kind: "key", id: "k1", ...all }
        : { kind: "person", id, ownerId: id, ...all };
    },
  };
};
const seen: TenantAccount[] = [];

const claims: Record<string, Claim> = {
  "carrier-a": { tenantId: "carrier-a", state: "active", epoch: 3, copies: 1 },
  leaving: { tenantId: "leaving", state: "moving", epoch: 2, copies: 1 },
  fenced: { tenantId: "fenced", state: "fenced", epoch: 2, copies: 1 },
  gone: { tenantId: "gone", state: "moved", epoch: 2, copies: 1, successor: { cellId: "eu", epoch: 3 } },
  closed: { tenantId: "closed", state: "suspended", epoch: 1, copies: 1 },
};

/** Ports over the table above, with a record of which tenants were looked up. */
function setUp(more: Partial<TenantPorts<Binding>> = {}) {
  const read: string[] = [];
  const ports: TenantPorts<Binding> = {
    authenticate,
    claims: {
      read: async (tenantId) => {
        read.push(tenantId);
        const claim = claims[tenantId];
        return claim === undefined ? undefined : { claim, databaseId: "one-database" };
      },
    },
    access: { key: async () => undefined, settings: async () => defaultTenantSettings },
    openTenant: (binding) => binding,
    ...more,
  };
  const ask = (request: Partial<TenantRequest>) =>
    resolveTenant(ports, {
      path: "/v1/items",
      tenantHeader: undefined,
      authorization: undefined,
      ...request,
    });
  const refusal = async (request: Partial<TenantRequest>) => {
    const error: unknown = await ask(request).then(
      () => new Error("was let in"),
      (e: unknown) => e,
    );
    if (!(error instanceof ProblemError)) throw error;
    return { problem: error.toProblem("4bf92f3577b34da6a3ce929d0e0e4736"), headers: error.headers };
  };
  return { ask, refusal, read };
}

const bearer = `Bearer ${credential}`;

describe("resolveTenant", () => {
  it("binds the whole tenant for the tenant-wide credential", async () => {
    const context = await setUp().ask({ tenantHeader: "carrier-a", authorization: bearer });
    expect(context).toEqual({
      tenantId: "carrier-a",
      epoch: 3,
      principal: { kind: "key", id: "k1", ...all },
      settings: defaultTenantSettings,
      db: {
        tenantId: "carrier-a",
        databaseId: "one-database",
        epoch: 3,
        claimCopies: 1,
        actor: { kind: "key", id: "k1" },
      },
    });
  });

  it("binds the owner for a person", async () => {
    const context = await setUp().ask({ path: "/t/carrier-a/v1/items", authorization: `${bearer}.u_1` });
    expect(context.ownerId).toBe("u_1");
    expect(context.db.ownerId).toBe("u_1");
    expect(context.db.actor).toEqual({ kind: "person", id: "u_1" });
  });

  it("takes the default tenant when none is named", async () => {
    const context = await setUp({ defaultTenant: "carrier-a" }).ask({ authorization: bearer });
    expect(context.tenantId).toBe("carrier-a");
  });

  it("asks for a tenant where there is no default", async () => {
    const { problem } = await setUp().refusal({ authorization: bearer });
    expect(problem.code).toBe("tenant-required");
  });

  it.each([
    ["invalid-tenant", { tenantHeader: "Carrier A" }],
    ["invalid-tenant", { tenantHeader: "" }],
    ["invalid-tenant", { path: "/t/carrier%2Da/v1/items" }],
    ["tenant-conflict", { path: "/t/carrier-a/v1/items", tenantHeader: "leaving" }],
  ])("answers %s to %j", async (code, request) => {
    expect((await setUp().refusal({ ...request, authorization: bearer })).problem.code).toBe(code);
  });

  it.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Basic Zm9yLXRlc3RzLW9ubHk6",
    "Bearer wrong",
    `${bearer}x`,
    `${bearer}.`,
    `${bearer}.a b`,
    `${bearer}./etc`,
    `${bearer} ${bearer}`,
    credential,
  ])(
    "answers the same to a stranger with %j, whoever the tenant, and looks nothing up",
    async (authorization) => {
      const { refusal, read } = setUp();
      const answers = await Promise.all(
        ["carrier-a", "gone", "closed", "nobody"].map((tenantHeader) =>
          refusal({ tenantHeader, authorization }),
        ),
      );
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]?.problem.code).toBe("unauthenticated");
      expect(answers[0]?.headers).toHaveProperty("www-authenticate");
      expect(read).toEqual([]);
    },
  );

  it("answers the same body for a tenant that is unknown and one that has moved", async () => {
    const { refusal } = setUp();
    const unknown = await refusal({ tenantHeader: "nobody", authorization: bearer });
    const moved = await refusal({ tenantHeader: "gone", authorization: bearer });
    expect(unknown.problem.status).toBe(421);
    expect(moved.problem).toEqual(unknown.problem);
    expect(unknown.headers).toEqual({});
    expect(moved.headers).toEqual({ "x-proveniq-successor": "eu;3" });
  });

  it("refuses a suspended tenant and lets a moving or fenced one be read", async () => {
    const { ask, refusal } = setUp();
    const { problem } = await refusal({ tenantHeader: "closed", authorization: bearer });
    expect(problem.code).toBe("tenant-suspended");
    expect((await ask({ tenantHeader: "leaving", authorization: bearer })).epoch).toBe(2);
    expect((await ask({ tenantHeader: "fenced", authorization: bearer })).epoch).toBe(2);
  });

  it("leaves the last word about a credential to the tenant, and tells a stranger nothing of its state", async () => {
    const { refusal } = setUp();
    for (const tenantHeader of ["carrier-a", "closed"]) {
      const { problem } = await refusal({ tenantHeader, authorization: `${bearer}.unknown` });
      expect([tenantHeader, problem.code]).toEqual([tenantHeader, "unauthenticated"]);
    }
  });

  it("gives the credential's judge this tenant's settings and keys, of this tenant's place", async () => {
    const places: unknown[] = [];
    const settings = { ...defaultTenantSettings, requestsPerSecond: 7 };
    const { ask } = setUp({
      access: {
        key: async (place, keyId) => {
          places.push([place, keyId]);
          return undefined;
        },
        settings: async () => settings,
      },
    });
    const context = await ask({ tenantHeader: "carrier-a", authorization: bearer });
    expect(context.settings).toBe(settings);
    expect(await seen.at(-1)?.key("k2")).toBeUndefined();
    expect(places).toEqual([[{ tenantId: "carrier-a", databaseId: "one-database" }, "k2"]]);
  });
});
