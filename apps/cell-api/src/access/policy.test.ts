import { principalKind, scope } from "@proveniq/contracts";
import { describe, expect, it } from "vitest";
import { routes } from "../routes/index.ts";
import { authorize, type OperationId, policy, type Rule } from "./policy.ts";

const rows = Object.entries(policy) as [OperationId, Rule][];

describe("the policy table", () => {
  it("has a row for each route and no other", () => {
    expect(routes.map((r) => r.operationId).sort()).toEqual(Object.keys(policy).sort());
    expect(new Set(routes.map((r) => r.operationId)).size).toBe(routes.length);
  });

  it("opens to the public exactly what touches no tenant", () => {
    const open = rows.filter(([, rule]) => rule === "public").map(([id]) => id);
    expect(open.sort()).toEqual(
      routes
        .filter((r) => r.scope !== "tenant")
        .map((r) => r.operationId)
        .sort(),
    );
  });

  it("lets nothing be changed without a scope for changing", () => {
    for (const { operationId, method, changesNothing } of routes) {
      const rule: Rule = policy[operationId];
      const changes = method !== "get" && changesNothing !== true && rule !== "public";
      expect([operationId, changes && (rule.scope === null || rule.scope === "items:read")]).toEqual([
        operationId,
        false,
      ]);
    }
  });
});

describe("authorize", () => {
  /** Every principal there can be: each kind with each set of scopes. */
  const principals = principalKind.options.flatMap((kind) =>
    Array.from({ length: 2 ** scope.options.length }, (_, bits) => ({
      kind,
      scopes: scope.options.filter((_, n) => bits & (1 << n)),
    })),
  );
  const passes = (rule: Rule | undefined, principal: (typeof principals)[number]) => {
    try {
      authorize(rule, principal);
      return true;
    } catch {
      return false;
    }
  };

  it("passes exactly the kinds and the scope of the row", () => {
    for (const [, rule] of rows) {
      for (const principal of principals) {
        const meant =
          rule !== "public" &&
          rule.kinds.includes(principal.kind) &&
          (rule.scope === null || principal.scopes.includes(rule.scope));
        expect(passes(rule, principal)).toBe(meant);
      }
    }
  });

  it("refuses by default: no row, a public row, no kinds", () => {
    for (const principal of principals) {
      expect(passes(undefined, principal)).toBe(false);
      expect(passes("public", principal)).toBe(false);
      expect(passes({ kinds: [], scope: null }, principal)).toBe(false);
    }
  });

  it("admin implies nothing else", () => {
    expect(passes(policy.listItems, { kind: "key", scopes: ["admin"] })).toBe(false);
  });
});
