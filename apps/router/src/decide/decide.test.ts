import { type Directory, parseSnapshot, SnapshotDirectory } from "@proveniq/tenant-context/directory";
import { check, constantFrom, oneof, option, property, string, webPath } from "fast-check";
import { describe, expect, it } from "vitest";
import { caseDirectory, type RouteCase, type RouteOutcome, routeCases } from "./cases.ts";
import { type Decision, decide } from "./decide.ts";

const directory = new SnapshotDirectory(() => undefined);
directory.offerText(JSON.stringify(caseDirectory), "cases");

const run = (
  c: Pick<RouteCase, "host" | "path" | "tenantHeader" | "authorization">,
  from: Directory = directory,
) =>
  decide(
    {
      host: c.host,
      path: c.path ?? "/v1/items",
      tenantHeader: c.tenantHeader,
      authorization: c.authorization,
    },
    from,
  );

function outcomeOf(decision: Decision): RouteOutcome {
  if (decision.kind === "reject") return { problem: decision.problem };
  const { cell, tenantId, epoch, bulk } = decision;
  return { cell: cell.id, tenant: tenantId, epoch, ...(bulk ? { bulk: true } : {}) };
}

describe("the table of cases", () => {
  it.each(routeCases.map((c) => [c.name, c] as const))("%s", async (_, c) => {
    expect(outcomeOf(await run(c))).toEqual(c.outcome);
  });

  it("names each case once", () => {
    expect(new Set(routeCases.map((c) => c.name)).size).toBe(routeCases.length);
  });

  it("is about a valid directory", () => {
    expect(parseSnapshot(JSON.stringify(caseDirectory)).placements.size).toBe(6);
  });
});

describe("a tenant's own host", () => {
  const own = {
    host: "carrier-a.proveniq.io",
    path: "/v1/items",
    tenantHeader: undefined,
    authorization: undefined,
  };

  it("leads nowhere at the front door of another residency than the tenant's cell", async () => {
    const at = async (...residencies: string[]) =>
      outcomeOf(await decide(own, directory, (r) => residencies.includes(r)));
    expect(await at("global")).toMatchObject({ tenant: "carrier-a" });
    expect(await at("eu")).toEqual({ problem: "misdirected-request" });
    expect(await at("eu", "global")).toMatchObject({ tenant: "carrier-a" });
  });
});

describe("what a client can tell apart", () => {
  it("is nothing between an unknown tenant, a tenant of another host and an unknown host", async () => {
    const seen = async (tenantHeader: string, host: string) => {
      const decision = await run({ host, tenantHeader });
      return decision.kind === "reject" ? [decision.problem, decision.detail] : decision;
    };
    const unknown = await seen("nobody-here", "api.proveniq.io");
    expect(await seen("atelier-nord", "api.proveniq.io")).toEqual(unknown);
    expect(await seen("nobody-here", "carrier-a.proveniq.io")).toEqual(unknown);
    expect(await seen("carrier-a", "evil.example")).toEqual(unknown);
  });
});

describe("when the directory cannot say", () => {
  const dark: Directory = {
    hostTable: () => directory.hostTable(),
    lookup: () => "unavailable",
    adopt: () => false,
  };

  it("a named tenant is told to come again, and never sent to a default cell", () => {
    expect(run({ host: "api.proveniq.io", tenantHeader: "carrier-a" }, dark)).toMatchObject({
      problem: "directory-unavailable",
    });
  });

  it("who names no tenant goes to the host's default, which needs no look-up", () => {
    expect(run({ host: "api.proveniq.io" }, dark)).toMatchObject({ kind: "route", cell: { id: "consumer" } });
  });

  it("an own host is told to come again", () => {
    expect(run({ host: "carrier-a.proveniq.io" }, dark)).toMatchObject({ problem: "directory-unavailable" });
  });

  it("nothing is known before the first directory", () => {
    const empty = new SnapshotDirectory(() => undefined);
    expect(run({ host: "api.proveniq.io" }, empty)).toMatchObject({ problem: "directory-unavailable" });
  });
});

describe("a directory that answers later", () => {
  const late: Directory = {
    hostTable: () => directory.hostTable(),
    lookup: async (id) => directory.lookup(id),
    adopt: () => false,
  };

  it.each(routeCases.map((c) => [c.name, c] as const))("decides the same: %s", async (_, c) => {
    expect(outcomeOf(await run(c, late))).toEqual(c.outcome);
  });
});

describe("for any request", () => {
  const host = oneof(
    constantFrom("api.proveniq.io", "eu.proveniq.io", "us.proveniq.io", "carrier-a.proveniq.io"),
    string(),
  );
  const tenant = oneof(constantFrom(...Object.keys(caseDirectory.tenants)), string());
  const requests = property(
    host,
    option(tenant, { nil: undefined }),
    option(tenant, { nil: undefined }),
    oneof(webPath(), string()),
    (host, header, pathTenant, rest) => {
      const path = pathTenant === undefined ? rest : `/t/${pathTenant}${rest}`;
      const decision = run({ host, path, tenantHeader: header });
      if (decision instanceof Promise || decision.kind === "reject") return true;
      const rule = directory.hostTable()?.hosts.get(decision.host);
      const admitted =
        rule?.kind === "tenant"
          ? rule.tenantId === decision.tenantId
          : decision.cell.residency === (rule?.kind === "global" ? "global" : rule?.residency);
      return admitted && (header === undefined || header === decision.tenantId);
    },
  );

  it("a route never leaves the host's residency and never swaps the tenant that was named", () => {
    expect(check(requests, { numRuns: 2_000 }).failed).toBe(false);
  });
});
