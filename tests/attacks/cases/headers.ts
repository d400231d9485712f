import { type Attack, bearer, list } from "./attack.ts";

const own = ["200"];

/** Headers that are ours, or that other servers obey. */
export const headerAttacks: readonly Attack[] = [
  {
    name: "forged x-proveniq headers",
    make: (s, door) =>
      [
        ["x-proveniq-host", "carrier-a.proveniq.io"],
        ["x-proveniq-epoch", "999999"],
        ["x-proveniq-successor", "consumer;99"],
        ["x-proveniq-tenant", s.blue.tenant],
        ["x-proveniq-owner", "bob"],
        ["X-PROVENIQ-PRINCIPAL", "staff"],
        ["x_proveniq_tenant", s.blue.tenant],
      ].map(([name = "", value = ""]) => list(door, [bearer(s.red.key), [name, value]])),
    outcomes: own,
  },
  {
    name: "Connection: x-tenant-id, and other headers to be dropped on the way",
    make: (s, door) =>
      ["x-tenant-id", "close, x-tenant-id", "X-Tenant-ID", "authorization", "host", "content-length"].map(
        (value) => list(door, [bearer(s.red.key), ["x-tenant-id", s.red.tenant], ["connection", value]]),
      ),
    outcomes: ["400 invalid-request"],
    // A cell takes Connection for what it is to a server: a word about this connection.
    atCell: ["200", "400 invalid-request"],
  },
  {
    name: "Host and X-Forwarded-Host games",
    make: (s, door) => [
      ...["x-forwarded-host", "x-host", "x-forwarded-server", "x-original-host", "forwarded"].map((name) =>
        list(door, [
          bearer(s.red.key),
          [name, name === "forwarded" ? "host=carrier-a.proveniq.io" : "carrier-a.proveniq.io"],
        ]),
      ),
      { ...list(door, [bearer(s.red.key)]), host: `${door.host}, carrier-a.proveniq.io` },
      { ...list(door, [bearer(s.red.key)]), host: "nobody.example" },
      { ...list(door, [bearer(s.red.key), ["host", "carrier-a.proveniq.io"]]) },
      { ...list(door, [bearer(s.red.key)]), path: "http://carrier-a.proveniq.localhost/v1/items" },
      { ...list(door, [bearer(s.red.key)]), host: "" },
    ],
    outcomes: ["200", "400 invalid-request", "421 misdirected-request"],
  },
  {
    name: "another carrier's own host with my key",
    make: (s, door) => [
      {
        ...list(door, [bearer(s.red.key)]),
        host: new URL(s.world.state.hosts["nordic-mutual.proveniq.io"] ?? "").host,
      },
    ],
    outcomes: ["400 tenant-conflict", "421 misdirected-request"],
    atCell: own,
  },
  {
    name: "X-Original-URL, X-Rewrite-URL and other paths in headers",
    make: (s, door) =>
      ["x-original-url", "x-rewrite-url", "x-forwarded-path", "x-forwarded-prefix", "x-original-uri"].map(
        (name) => list(door, [bearer(s.red.key), [name, `/t/${s.blue.tenant}/v1/items/${s.ids.blue}`]]),
      ),
    outcomes: own,
  },
  {
    name: "method override",
    make: (s, door) => {
      const path = `/v1/items/${s.ids.blue}`;
      const headers = ["x-http-method-override", "x-http-method", "x-method-override"];
      return [
        ...headers.map((name) => list(door, [bearer(s.red.key), [name, "DELETE"]], path)),
        list(door, [bearer(s.red.key)], `${path}?_method=DELETE`),
      ];
    },
    outcomes: ["404 not-found"],
  },
  {
    name: "methods that nobody offered",
    make: (s, door) =>
      ["PUT", "LINK", "PROPFIND", "SEARCH", "TRACE", "PURGE"].map((method) => ({
        ...list(door, [bearer(s.red.key)], `/v1/items/${s.ids.blue}`),
        method,
      })),
    outcomes: ["405 method-not-allowed", "400 invalid-request"],
  },
  {
    name: "a change of protocol",
    make: (s, door) => [
      list(door, [bearer(s.red.key), ["connection", "upgrade"], ["upgrade", "websocket"]]),
      list(door, [
        bearer(s.red.key),
        ["connection", "upgrade, http2-settings"],
        ["upgrade", "h2c"],
        ["http2-settings", "AAMAAABkAAQAAP__"],
      ]),
    ],
    outcomes: ["501 upgrade-refused"],
    atCell: ["200", "501 upgrade-refused"],
  },
];
