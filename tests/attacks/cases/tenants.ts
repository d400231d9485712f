import { type Attack, bearer, list, tenantHeader } from "./attack.ts";

const conflict = ["400 tenant-conflict"];
const malformed = ["400 invalid-tenant"];

/** Malformed names of a tenant, as bytes (latin1). */
const names = [
  "(default)",
  "../attack-blue",
  "..",
  ".",
  "__attack__",
  "attack-blue/items",
  "attack-blue%2fitems",
  "%61ttack-blue",
  "Attack-Blue",
  "ATTACK-BLUE",
  "attack_blue",
  "attack-blue\u00a0",
  "*",
  "'or'1'='1",
  "admin",
  "tenants",
  "null",
  "a",
  "-attack-blue",
  "attack-blue-",
];

/** Whose data: games with the name of the tenant. The attacker is genuine and has a key of its own. */
export const tenantAttacks: readonly Attack[] = [
  {
    name: "another tenant's header with my key",
    make: (s, door) => [list(door, [bearer(s.red.key), tenantHeader(s.blue.tenant)])],
    outcomes: conflict,
  },
  {
    name: "another tenant's header with my token",
    make: (s, door) =>
      [s.red.person, s.red.staff].map((token) => list(door, [bearer(token), tenantHeader(s.blue.tenant)])),
    outcomes: conflict,
  },
  {
    name: "another tenant's path with my key or token",
    make: (s, door) =>
      [s.red.key, s.red.person, s.red.staff].map((credential) =>
        list(door, [bearer(credential)], `/t/${s.blue.tenant}/v1/items`),
      ),
    outcomes: conflict,
  },
  {
    name: "header, path and key of three tenants",
    make: (s, door) => [
      list(door, [bearer(s.red.key), tenantHeader(s.blue.tenant)], `/t/${s.navy.tenant}/v1/items`),
      list(door, [bearer(s.red.key), tenantHeader(s.red.tenant)], `/t/${s.blue.tenant}/v1/items`),
      list(door, [bearer(s.red.key), tenantHeader(s.blue.tenant)], `/t/${s.red.tenant}/v1/items`),
    ],
    outcomes: conflict,
  },
  {
    name: "header absent: the key names its own tenant",
    make: (s, door) => [list(door, [bearer(s.red.key)])],
    outcomes: ["200"],
  },
  {
    name: "header empty",
    make: (s, door) => ["", " ", "\t"].map((value) => list(door, [bearer(s.red.key), tenantHeader(value)])),
    outcomes: malformed,
  },
  {
    name: "header twice, different and equal",
    make: (s, door) =>
      [
        [s.red.tenant, s.blue.tenant],
        [s.blue.tenant, s.red.tenant],
        [s.red.tenant, s.red.tenant],
      ].map((pair) => list(door, [bearer(s.red.key), ...pair.map(tenantHeader)])),
    outcomes: malformed,
  },
  {
    name: "header joined by comma, pipe, semicolon, space",
    make: (s, door) =>
      [",", ", ", "|", ";", " ", "\t"].map((by) =>
        list(door, [bearer(s.red.key), tenantHeader(`${s.red.tenant}${by}${s.blue.tenant}`)]),
      ),
    outcomes: malformed,
  },
  {
    name: "unicode look-alikes",
    make: (s, door) =>
      ["attack-bluе", "аttack-red", "attack‐red", "ａttack-red", "attack-red\u200b"].map((value) =>
        list(door, [bearer(s.red.key), tenantHeader(Buffer.from(value).toString("latin1"))]),
      ),
    outcomes: malformed,
  },
  {
    name: "NUL and other control characters in the header",
    make: (s, door) =>
      ["\u0000", "\u0001", "\u007f", "\u001b"].map((c) =>
        list(door, [bearer(s.red.key), tenantHeader(`attack-red${c}attack-blue`)]),
      ),
    outcomes: ["400 invalid-request", "400 invalid-tenant"],
  },
  {
    name: "10 kB of header",
    make: (s, door) => [list(door, [bearer(s.red.key), tenantHeader("a".repeat(10_240))])],
    outcomes: malformed,
  },
  {
    name: "40 kB of header",
    make: (s, door) => [list(door, [bearer(s.red.key), tenantHeader("a".repeat(40_960))])],
    outcomes: ["431 headers-too-large"],
  },
  {
    name: "paths, defaults, reserved and escaped names as tenant, in the header",
    make: (s, door) => names.map((name) => list(door, [bearer(s.red.key), tenantHeader(name)])),
    outcomes: malformed,
  },
  {
    name: "paths, defaults, reserved and escaped names as tenant, in the path",
    make: (s, door) =>
      names
        .filter((name) => !name.includes("/"))
        .map((name) => list(door, [bearer(s.red.key)], `/t/${encodeURI(name)}/v1/items`)),
    outcomes: [...malformed, "400 invalid-request"],
  },
  {
    name: "climbing out of the path",
    make: (s, door) =>
      [
        `/t/${s.red.tenant}/../${s.blue.tenant}/v1/items`,
        `/t/${s.red.tenant}/v1/../../${s.blue.tenant}/v1/items`,
        `/t/${s.red.tenant}%2f..%2f${s.blue.tenant}/v1/items`,
        `/t/${s.red.tenant}/v1/items/../../../${s.blue.tenant}/v1/items`,
        `/t/${s.red.tenant}/v1/items/%2e%2e/%2e%2e/%2e%2e/${s.blue.tenant}/v1/items`,
        `/t/${s.red.tenant};/v1/items`,
        `//t/${s.blue.tenant}/v1/items`,
        `/v1/../t/${s.blue.tenant}/v1/items`,
      ].map((path) => list(door, [bearer(s.red.key)], path)),
    outcomes: ["400 invalid-request", "400 invalid-tenant"],
  },
  {
    name: "a tenant in the query, the body, a cookie or a header that looks like ours",
    make: (s, door) => [
      list(door, [bearer(s.red.key)], `/v1/items?tenant=${s.blue.tenant}`),
      list(door, [bearer(s.red.key)], `/v1/items?x-tenant-id=${s.blue.tenant}`),
      list(door, [bearer(s.red.key)], `/v1/items?tenantId=${s.blue.tenant}`),
      list(door, [bearer(s.red.key), ["cookie", `x-tenant-id=${s.blue.tenant}; tenant=${s.blue.tenant}`]]),
      list(door, [bearer(s.red.key), ["x-tenant", s.blue.tenant], ["tenant-id", s.blue.tenant]]),
      list(door, [bearer(s.red.key), ["x_tenant_id", s.blue.tenant]]),
    ],
    outcomes: ["200", "400 invalid-request"],
  },
];
