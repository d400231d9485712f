import type { DirectorySnapshot, ProblemCode } from "@proveniq/contracts";

/**
 * The directory that the cases are about. Its cells, hosts and tenants up to the `us` ones are those of the committed
 * fleet; `us` has two cells, which the committed fleet's residencies do not.
 */
export const caseDirectory: DirectorySnapshot = {
  version: 7,
  publishedAt: "2026-01-01T00:00:00Z",
  topology: {
    hosts: {
      "api.proveniq.io": { kind: "global" },
      "eu.proveniq.io": { kind: "region", residency: "eu" },
      "us.proveniq.io": { kind: "region", residency: "us" },
    },
    defaults: {
      global: { cell: "consumer", tenant: "consumers" },
      eu: { cell: "eu", tenant: "consumers-eu" },
      us: { cell: "us-east", tenant: "consumers-us" },
    },
    cells: Object.fromEntries(
      (
        [
          ["consumer", "global"],
          ["enterprise-a", "global"],
          ["eu", "eu"],
          ["us-east", "us"],
          ["us-west", "us"],
        ] as const
      ).map(([id, residency]) => [
        id,
        {
          residency,
          api: `https://${id}-api.cells.proveniq.io`,
          bulk: `https://${id}-bulk.cells.proveniq.io`,
        },
      ]),
    ),
  },
  tenants: {
    "carrier-a": ["enterprise-a", 3],
    "small-shop": ["consumer", 1],
    "atelier-nord": ["eu", 1],
    "nordic-mutual": ["eu", 2],
    "pacific-re": ["us-west", 1],
    "consumers-us": ["us-west", 4],
  },
  tenantHosts: {
    "carrier-a.proveniq.io": "carrier-a",
    "nordic-mutual.proveniq.io": "nordic-mutual",
  },
};

/** Where a request ends: in a cell, as a tenant of it, or with a problem. */
export type RouteOutcome =
  | { cell: string; tenant: string; epoch: number; bulk?: true }
  | { problem: ProblemCode };

export interface RouteCase {
  name: string;
  host: string;
  path?: string;
  /** Of X-Tenant-ID; several mean that the header came several times. */
  tenantHeader?: string | readonly string[];
  authorization?: string;
  /** What the router decides. */
  outcome: RouteOutcome;
  /**
   * Where the load balancer's URL map sends the same request, for the committed fleet: straight to its `cell` (region
   * hosts with one cell, pinned tenants), to the `router`, or nowhere (`reject`: no such host). Left out where a case is
   * about something that the committed fleet does not have. A cell that gets such a request by itself must come to the
   * same tenant or the same problem as the router.
   */
  urlMap?: "cell" | "router" | "reject";
}

const key = (tenant: string) => `Bearer pvq_live_${tenant}_k1_0123456789abcdef`;
const token = (claims: Record<string, unknown>) => {
  const part = (value: unknown) =>
    btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `Bearer ${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`;
};

const consumer: RouteOutcome = { cell: "consumer", tenant: "consumers", epoch: 0 };
const carrierA: RouteOutcome = { cell: "enterprise-a", tenant: "carrier-a", epoch: 3 };
const euDefault: RouteOutcome = { cell: "eu", tenant: "consumers-eu", epoch: 0 };
const nord: RouteOutcome = { cell: "eu", tenant: "atelier-nord", epoch: 1 };
const mutual: RouteOutcome = { cell: "eu", tenant: "nordic-mutual", epoch: 2 };
const misdirected: RouteOutcome = { problem: "misdirected-request" };
const conflict: RouteOutcome = { problem: "tenant-conflict" };
const invalidTenant: RouteOutcome = { problem: "invalid-tenant" };
const invalidRequest: RouteOutcome = { problem: "invalid-request" };

const api = "api.proveniq.io";
const eu = "eu.proveniq.io";
const us = "us.proveniq.io";

/** Every rule of routing as an example. Data only: whoever replays it needs no router. */
export const routeCases: readonly RouteCase[] = [
  // Global host: people who name no tenant, tenants without a residency.
  {
    name: "no tenant on the global host is a consumer of cell 0",
    host: api,
    outcome: consumer,
    urlMap: "router",
  },
  {
    name: "the default tenant may be named",
    host: api,
    tenantHeader: "consumers",
    outcome: consumer,
    urlMap: "router",
  },
  {
    name: "an opaque credential names nobody",
    host: api,
    authorization: "Bearer abc",
    outcome: consumer,
    urlMap: "router",
  },
  {
    name: "a token without a tenant names nobody",
    host: api,
    authorization: token({ sub: "u1" }),
    outcome: consumer,
    urlMap: "router",
  },
  { name: "by header", host: api, tenantHeader: "carrier-a", outcome: carrierA, urlMap: "cell" },
  { name: "by path", host: api, path: "/t/carrier-a/v1/items", outcome: carrierA, urlMap: "cell" },
  {
    name: "by path and header alike",
    host: api,
    path: "/t/carrier-a/v1/items",
    tenantHeader: "carrier-a",
    outcome: carrierA,
    urlMap: "cell",
  },
  { name: "by key", host: api, authorization: key("carrier-a"), outcome: carrierA, urlMap: "router" },
  {
    name: "by token",
    host: api,
    authorization: token({ tenant: "carrier-a" }),
    outcome: carrierA,
    urlMap: "router",
  },
  {
    name: "an identity platform tenant is not one of ours",
    host: api,
    authorization: token({ firebase: { tenant: "carrier-a" } }),
    outcome: consumer,
    urlMap: "router",
  },
  {
    name: "a tenant of cell 0 with a placement",
    host: api,
    tenantHeader: "small-shop",
    outcome: { cell: "consumer", tenant: "small-shop", epoch: 1 },
    urlMap: "router",
  },
  {
    name: "an EU tenant on the global host",
    host: api,
    tenantHeader: "atelier-nord",
    outcome: misdirected,
    urlMap: "router",
  },
  {
    name: "an EU tenant with an own host on the global host",
    host: api,
    path: "/t/nordic-mutual/v1/items",
    outcome: misdirected,
    urlMap: "router",
  },
  {
    name: "the EU's default tenant on the global host",
    host: api,
    tenantHeader: "consumers-eu",
    outcome: misdirected,
    urlMap: "router",
  },
  {
    name: "an unknown tenant on the global host",
    host: api,
    tenantHeader: "nobody-here",
    outcome: misdirected,
    urlMap: "router",
  },

  // Region host: one residency.
  { name: "no tenant on a region host is its default", host: eu, outcome: euDefault, urlMap: "cell" },
  {
    name: "an EU tenant on the EU host",
    host: eu,
    tenantHeader: "atelier-nord",
    outcome: nord,
    urlMap: "cell",
  },
  {
    name: "an EU tenant of the second database",
    host: eu,
    path: "/t/nordic-mutual/v1/items",
    outcome: mutual,
    urlMap: "cell",
  },
  {
    name: "a tenant from elsewhere on the EU host",
    host: eu,
    tenantHeader: "carrier-a",
    outcome: misdirected,
    urlMap: "cell",
  },
  {
    name: "cell 0's default tenant on the EU host",
    host: eu,
    tenantHeader: "consumers",
    outcome: misdirected,
    urlMap: "cell",
  },
  {
    name: "an unknown tenant on the EU host",
    host: eu,
    tenantHeader: "nobody-here",
    outcome: misdirected,
    urlMap: "cell",
  },
  {
    name: "a residency with two cells goes by placement",
    host: us,
    tenantHeader: "pacific-re",
    outcome: { cell: "us-west", tenant: "pacific-re", epoch: 1 },
  },
  {
    name: "a default tenant that has been moved is where it is placed",
    host: us,
    outcome: { cell: "us-west", tenant: "consumers-us", epoch: 4 },
  },

  // A tenant's own host.
  { name: "an own host names its tenant", host: "carrier-a.proveniq.io", outcome: carrierA, urlMap: "cell" },
  {
    name: "an own host of an EU tenant",
    host: "nordic-mutual.proveniq.io",
    outcome: mutual,
    urlMap: "router",
  },
  {
    name: "an own host with the same tenant in the path",
    host: "carrier-a.proveniq.io",
    path: "/t/carrier-a/v1/items",
    outcome: carrierA,
    urlMap: "cell",
  },
  {
    name: "an own host with another tenant",
    host: "carrier-a.proveniq.io",
    tenantHeader: "small-shop",
    outcome: misdirected,
    urlMap: "cell",
  },
  {
    name: "an own host with an unknown tenant",
    host: "carrier-a.proveniq.io",
    tenantHeader: "nobody-here",
    outcome: misdirected,
    urlMap: "cell",
  },

  // Hosts.
  { name: "a port does not matter", host: `${api}:8080`, outcome: consumer, urlMap: "router" },
  { name: "case does not matter", host: "EU.Proveniq.IO", outcome: euDefault, urlMap: "cell" },
  { name: "an unknown host", host: "evil.example", outcome: misdirected, urlMap: "reject" },
  { name: "an unknown host of the zone", host: "nobody.proveniq.io", outcome: misdirected, urlMap: "reject" },
  { name: "an address", host: "127.0.0.1:8080", outcome: misdirected, urlMap: "reject" },
  { name: "a port that is none", host: `${api}:80x`, outcome: misdirected },
  { name: "a user before the host", host: `x@${api}`, outcome: misdirected },
  { name: "a dot after the host", host: `${api}.`, outcome: misdirected },

  // Which service of the cell.
  {
    name: "imports are bulk",
    host: eu,
    path: "/v1/imports",
    outcome: { ...euDefault, bulk: true },
    urlMap: "cell",
  },
  {
    name: "a chunk is bulk",
    host: api,
    path: "/t/carrier-a/v1/imports/i1/chunks/3?x=1",
    outcome: { ...carrierA, bulk: true },
    urlMap: "cell",
  },
  {
    name: "imports with a query are bulk",
    host: eu,
    path: "/v1/imports?limit=1",
    outcome: { ...euDefault, bulk: true },
    urlMap: "cell",
  },
  { name: "a longer word is not bulk", host: eu, path: "/v1/importers", outcome: euDefault, urlMap: "cell" },
  {
    name: "a query that looks like it is not bulk",
    host: eu,
    path: "/v1/items?x=/v1/imports/",
    outcome: euDefault,
    urlMap: "cell",
  },

  // More than one tenant, or none that could be one.
  {
    name: "path and header differ",
    host: api,
    path: "/t/small-shop/v1/items",
    tenantHeader: "nobody-here",
    outcome: conflict,
    urlMap: "router",
  },
  {
    name: "header and key differ",
    host: api,
    tenantHeader: "small-shop",
    authorization: key("nobody-here"),
    outcome: conflict,
    urlMap: "router",
  },
  {
    name: "a pinned tenant's header with another's key",
    host: api,
    tenantHeader: "carrier-a",
    authorization: key("small-shop"),
    outcome: conflict,
    urlMap: "cell",
  },
  {
    name: "header and token differ",
    host: eu,
    tenantHeader: "atelier-nord",
    authorization: token({ tenant: "nordic-mutual" }),
    outcome: conflict,
    urlMap: "cell",
  },
  {
    name: "the header twice",
    host: eu,
    tenantHeader: ["atelier-nord", "atelier-nord"],
    outcome: invalidTenant,
    urlMap: "cell",
  },
  {
    name: "two in one header",
    host: api,
    tenantHeader: "carrier-a, small-shop",
    outcome: invalidTenant,
    urlMap: "router",
  },
  {
    name: "a malformed header",
    host: api,
    tenantHeader: "Carrier_A",
    outcome: invalidTenant,
    urlMap: "router",
  },
  { name: "an empty header", host: api, tenantHeader: "", outcome: invalidTenant, urlMap: "router" },
  { name: "a reserved name", host: api, tenantHeader: "admin", outcome: invalidTenant, urlMap: "router" },
  {
    name: "a path without an id",
    host: api,
    path: "/t//v1/items",
    outcome: invalidRequest,
    urlMap: "router",
  },
  { name: "a path that ends after /t/", host: api, path: "/t/", outcome: invalidTenant, urlMap: "router" },
  {
    name: "a malformed key",
    host: api,
    authorization: "Bearer pvq_live_",
    outcome: invalidTenant,
    urlMap: "router",
  },
  {
    name: "a malformed tenant beats an unknown host",
    host: "evil.example",
    tenantHeader: "!",
    outcome: invalidTenant,
    urlMap: "reject",
  },

  // Paths that two servers could read in two ways.
  {
    name: "dot segments",
    host: api,
    path: "/x/../t/carrier-a/v1/items",
    outcome: invalidRequest,
    urlMap: "router",
  },
  {
    name: "escaped dot segments",
    host: api,
    path: "/x/%2e%2e/t/carrier-a/v1/items",
    outcome: invalidRequest,
    urlMap: "router",
  },
  { name: "a single dot", host: api, path: "/./t/carrier-a", outcome: invalidRequest, urlMap: "router" },
  { name: "a dot at the end", host: api, path: "/v1/items/..", outcome: invalidRequest, urlMap: "router" },
  {
    name: "an escaped letter",
    host: api,
    path: "/%74/carrier-a/v1/items",
    outcome: invalidRequest,
    urlMap: "router",
  },
  {
    name: "an escaped slash",
    host: api,
    path: "/t%2fcarrier-a/v1/items",
    outcome: invalidRequest,
    urlMap: "router",
  },
  { name: "two slashes", host: api, path: "//t/carrier-a/v1", outcome: invalidRequest, urlMap: "router" },
  { name: "a backslash", host: api, path: "/\\t/carrier-a", outcome: invalidRequest, urlMap: "router" },
  { name: "a broken escape", host: api, path: "/v1/items/%zz", outcome: invalidRequest, urlMap: "router" },
  { name: "a zero byte", host: api, path: "/v1/items/%00", outcome: invalidRequest, urlMap: "router" },
  { name: "a fragment", host: api, path: "/v1/items#x", outcome: invalidRequest },
  { name: "no slash at the start", host: api, path: "v1/items", outcome: invalidRequest },
  ...(
    [
      ["dots before the imports", eu, "/x/../v1/imports"],
      ["dots after the imports", eu, "/v1/imports/../items"],
      ["escaped dots before a tenant", eu, "/x/%2e%2e/t/atelier-nord/v1/items"],
      ["half escaped dots", eu, "/x/.%2E/v1/items"],
      ["a tenant's path with an escaped letter", eu, "/%74/atelier-nord/v1/items"],
      ["a tenant with an escaped letter", eu, "/t/%61telier-nord/v1/items"],
      ["imports with an escaped letter", eu, "/v1/%69mports"],
      ["imports behind two slashes", eu, "/v1//imports"],
      ["a backslash for a slash", eu, "/v1\\items"],
      ["from a pinned tenant up to another", api, "/t/carrier-a/../small-shop/v1/items"],
      ["from a pinned tenant up to another, escaped", api, "/t/carrier-a/%2E%2e/small-shop/v1/items"],
      ["from a pinned tenant's imports up to its items", api, "/t/carrier-a/v1/imports/../items"],
      ["two slashes below a pinned tenant", api, "/t/carrier-a//v1/items"],
      ["an escaped letter below a pinned tenant", api, "/t/carrier-a/v1/%69mports"],
      ["an escaped slash below a pinned tenant", api, "/t/carrier-a/v1%2fimports"],
      ["dots before a tenant on another's own host", "carrier-a.proveniq.io", "/x/../t/small-shop/v1/items"],
    ] as const
  ).map(
    ([name, host, path]): RouteCase => ({
      name: `past the router: ${name}`,
      host,
      path,
      outcome: invalidRequest,
      urlMap: "cell",
    }),
  ),
  {
    name: "an escape that is needed",
    host: eu,
    path: "/v1/items?externalId=a%2Fb",
    outcome: euDefault,
    urlMap: "cell",
  },
  { name: "an escaped space in the path", host: eu, path: "/v1/a%20b", outcome: euDefault, urlMap: "cell" },
  { name: "a slash at the end", host: eu, path: "/v1/items/", outcome: euDefault, urlMap: "cell" },
  {
    name: "a name that begins with dots",
    host: eu,
    path: "/.well-known/x/..y",
    outcome: euDefault,
    urlMap: "cell",
  },
];
