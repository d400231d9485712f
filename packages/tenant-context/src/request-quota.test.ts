import { ProblemError } from "@proveniq/contracts";
import { describe, expect, it } from "vitest";
import { RequestQuota } from "./request-quota.ts";

function setUp() {
  const clock = { ms: 0, share: 0.25 };
  const quota = new RequestQuota({
    tenantRequestsPerSecond: 40,
    personRequestsPerSecond: 4,
    share: () => clock.share,
    now: () => clock.ms,
  });
  /** How many of `count` requests are let in. */
  const spend = (
    count: number,
    who: { tenant?: string; person?: string; perSecond?: number },
  ): { allowed: number; last: unknown } => {
    let allowed = 0;
    let last: unknown;
    for (let n = 0; n < count; n += 1) {
      try {
        last = quota.take({
          tenantId: who.tenant ?? "carrier-a",
          principal: who.person === undefined ? {} : { ownerId: who.person },
          settings: { requestsPerSecond: who.perSecond ?? null },
        });
        allowed += 1;
      } catch (error) {
        last = error;
      }
    }
    return { allowed, last };
  };
  return { clock, quota, spend };
}

describe("RequestQuota", () => {
  it("gives an instance its share of the tenant's quota and of a person's", () => {
    const { clock, spend } = setUp();
    expect(spend(1_000, {}).allowed).toBe(100);
    expect(spend(1_000, { tenant: "carrier-b", person: "u_1" }).allowed).toBe(10);
    clock.ms = 2_000;
    expect(spend(1_000, {}).allowed).toBe(20);
    expect(spend(1_000, { tenant: "carrier-b", person: "u_1" }).allowed).toBe(2);
  });

  it("follows the share as it changes", () => {
    const { clock, spend } = setUp();
    spend(1_000, {});
    clock.share = 1;
    clock.ms = 1_000;
    // Alone it may let in all that the tenant has, 40 a second; and after a rest 400 at once.
    expect(spend(1_000, {}).allowed).toBe(40);
    clock.ms = 20_000;
    expect(spend(1_000, {}).allowed).toBe(400);
  });

  it("keeps people of one tenant apart, and the same person's name in two tenants", () => {
    const { spend } = setUp();
    spend(50, { person: "u_1" });
    expect(spend(50, { person: "u_2" }).allowed).toBe(10);
    expect(spend(50, { tenant: "carrier-b", person: "u_1" }).allowed).toBe(10);
  });

  it("holds people to their tenant's quota too, and a refused person costs the tenant nothing", () => {
    const { spend } = setUp();
    spend(1_000, { person: "greedy" });
    expect(spend(1_000, {}).allowed).toBe(90);
    const { allowed, last } = spend(5, { person: "u_2" });
    expect(allowed).toBe(0);
    expect(last).toMatchObject({ headers: { "ratelimit-policy": '"tenant";q=100;w=10' } });
  });

  it("lets a tenant's setting stand in for the cell's", () => {
    const { quota, spend } = setUp();
    expect(spend(100, { perSecond: 2 }).allowed).toBe(5);
    const caller = { tenantId: "carrier-a", principal: {}, settings: { requestsPerSecond: 2 } };
    expect(quota.describe(caller)).toEqual({ requestsPerSecond: 2, burst: 20 });
    const person = { ...caller, principal: { ownerId: "u_1" }, settings: { requestsPerSecond: null } };
    expect(quota.describe(person)).toEqual({ requestsPerSecond: 4, burst: 40 });
  });

  it("says when to come again", () => {
    const { spend } = setUp();
    const { last } = spend(11, { person: "u_1" });
    expect(last).toBeInstanceOf(ProblemError);
    expect(last).toMatchObject({
      code: "too-many-requests",
      headers: {
        "retry-after": "1",
        ratelimit: '"person";r=0;t=10',
        "ratelimit-policy": '"person";q=10;w=10',
      },
    });
  });
});
