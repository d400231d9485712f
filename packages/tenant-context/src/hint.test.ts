import { isTenantId, reservedTenantIds, tenantIdPattern } from "@proveniq/contracts";
import {
  check,
  constantFrom,
  property as fcProperty,
  oneof,
  option,
  string,
  stringMatching,
} from "fast-check";
import { describe, expect, it } from "vitest";
import { type HintInput, readTenantHint } from "./hint.ts";

const read = (input: Partial<HintInput>) =>
  readTenantHint({ path: "/v1/items", tenantHeader: undefined, authorization: undefined, ...input });

const jwt = (payload: unknown) =>
  `Bearer eyJhbGciOiJSUzI1NiJ9.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.c2ln`;

const found: [string, Partial<HintInput>, string, string][] = [
  ["path", { path: "/t/carrier-a/v1/items" }, "carrier-a", "path"],
  ["path without a rest", { path: "/t/carrier-a" }, "carrier-a", "path"],
  ["path with a query", { path: "/t/carrier-a?x=/t/other/" }, "carrier-a", "path"],
  ["header", { tenantHeader: "carrier-a" }, "carrier-a", "header"],
  ["header once in a list", { tenantHeader: ["carrier-a"] }, "carrier-a", "header"],
  ["live key", { authorization: "Bearer pvq_live_carrier-a_k1_secret" }, "carrier-a", "key"],
  ["development key", { authorization: "bearer pvq_dev_carrier-a_k1_secret" }, "carrier-a", "key"],
  ["token", { authorization: jwt({ sub: "ümlaut ☂", tenant: "carrier-a" }) }, "carrier-a", "token"],
  [
    "own claim beside the identity tenant",
    { authorization: jwt({ tenant: "carrier-a", firebase: { tenant: "carrier-a-x1y2z" } }) },
    "carrier-a",
    "token",
  ],
  ["agreement", { path: "/t/carrier-a/", tenantHeader: "carrier-a" }, "carrier-a", "path"],
];

const nothing: [string, Partial<HintInput>][] = [
  ["no source", {}],
  ["the words after /t missing", { path: "/t" }],
  ["another first segment", { path: "/tt/carrier-a/v1" }],
  ["basic credentials", { authorization: "Basic pvq_live_carrier-a_k1_s" }],
  ["an opaque credential", { authorization: "Bearer local-development" }],
  ["an opaque credential with a subject", { authorization: "Bearer local-development.alice" }],
  ["a token that is no JSON", { authorization: "Bearer a.b.c" }],
  ["a token with four parts", { authorization: `${jwt({ tenant: "carrier-a" })}.x` }],
  ["a token without the claim", { authorization: jwt({ sub: "u" }) }],
  [
    "an identity tenant alone, which is not an id of ours",
    { authorization: jwt({ firebase: { tenant: "carrier-a" } }) },
  ],
  ["a token whose claim is null", { authorization: jwt({ tenant: null }) }],
  ["a token that is an array", { authorization: jwt(["tenant"]) }],
];

const invalid: [string, Partial<HintInput>][] = [
  ["empty path segment", { path: "/t//v1" }],
  ["nothing after /t/", { path: "/t/" }],
  ["escaped path segment", { path: "/t/carrier%2da/v1" }],
  ["capitals", { path: "/t/Carrier-A/v1" }],
  ["too short", { tenantHeader: "ab" }],
  ["too long", { tenantHeader: "a".repeat(41) }],
  ["reserved", { tenantHeader: "admin" }],
  ["empty header", { tenantHeader: "" }],
  ["header twice", { tenantHeader: ["carrier-a", "carrier-a"] }],
  ["header joined by commas", { tenantHeader: "carrier-a, carrier-a" }],
  ["header joined by pipes", { tenantHeader: "carrier-a|carrier-b" }],
  ["database path", { tenantHeader: "../carrier-a" }],
  ["unknown kind of key", { authorization: "Bearer pvq_test_carrier-a_k1_s" }],
  ["key without a rest", { authorization: "Bearer pvq_live_carrier-a" }],
  ["malformed tenant in a key", { authorization: "Bearer pvq_live_Carrier_k1_s" }],
  ["malformed tenant in a token", { authorization: jwt({ tenant: "a/b" }) }],
  ["claim that is no string", { authorization: jwt({ tenant: 7 }) }],
];

const conflict: [string, Partial<HintInput>][] = [
  ["path and header", { path: "/t/carrier-a/v1", tenantHeader: "carrier-b" }],
  ["path and key", { path: "/t/carrier-a/v1", authorization: "Bearer pvq_live_carrier-b_k_s" }],
  ["header and key", { tenantHeader: "carrier-a", authorization: "Bearer pvq_live_carrier-b_k_s" }],
  ["header and token", { tenantHeader: "carrier-a", authorization: jwt({ tenant: "carrier-b" }) }],
];

it("isTenantId says what the pattern and the reserved names say", () => {
  const ids = oneof(
    stringMatching(/^[a-z-]{0,3}[a-z0-9-]{0,41}$/),
    constantFrom(...reservedTenantIds),
    string(),
  );
  const same = fcProperty(
    ids,
    (id) => isTenantId(id) === (tenantIdPattern.test(id) && !reservedTenantIds.some((r) => r === id)),
  );
  expect(check(same, { numRuns: 1_000 }).failed).toBe(false);
});

describe("readTenantHint", () => {
  it.each(found)("finds the tenant: %s", (_, input, tenantId, source) => {
    expect(read(input)).toEqual({ ok: true, tenantId, source });
  });

  it.each(nothing)("finds no tenant: %s", (_, input) => {
    expect(read(input)).toEqual({ ok: true, tenantId: undefined, source: undefined });
  });

  it.each(invalid)("refuses as invalid: %s", (_, input) => {
    expect(read(input)).toMatchObject({ ok: false, problem: "invalid-tenant" });
  });

  it.each(conflict)("refuses as a conflict: %s", (_, input) => {
    expect(read(input)).toMatchObject({ ok: false, problem: "tenant-conflict" });
  });

  it("never throws and never lets anything but a well-formed id through", () => {
    const property = fcProperty(
      string(),
      option(string(), { nil: undefined }),
      option(string(), { nil: undefined }),
      (id, header, credential) => {
        const authorization = credential === undefined ? undefined : `Bearer ${credential}`;
        const hint = read({ path: `/t/${id}`, tenantHeader: header, authorization });
        return hint.ok ? tenantIdPattern.test(hint.tenantId ?? "") : hint.detail.endsWith(".");
      },
    );
    expect(check(property).failed).toBe(false);
  });
});
