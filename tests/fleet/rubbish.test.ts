import { problem, problems } from "@proveniq/contracts";
import { request } from "undici";
import { afterAll, describe, expect, inject, test } from "vitest";
import { Client } from "../../examples/demo/client.ts";
import { partner } from "../setup/callers.ts";

const fleet = inject("fleet");
const client = new Client(fleet.router);
const carrier = partner(fleet, "carrier-a");
const origin = fleet.cells["enterprise-a"]?.api ?? "";
afterAll(() => client.close());

const good = { title: "A thing", category: "other" };
const deep = (levels: number) =>
  `{"title":"x","category":"other","attributes":${'{"a":'.repeat(levels)}1${"}".repeat(levels)}}`;
const money = (insuredValue: unknown) => JSON.stringify({ ...good, insuredValue });
const json = { "content-type": "application/json" };

interface Rubbish {
  method?: "GET" | "POST" | "PATCH" | "DELETE" | "PUT";
  path?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
}

const cases: [string, Rubbish][] = [
  ["no JSON", { body: "{" }],
  ["an empty body", { body: "" }],
  ["bytes that are no UTF-8", { body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]) }],
  ["a list", { body: "[]" }],
  ["null", { body: "null" }],
  ["an unknown field", { body: JSON.stringify({ ...good, colour: "red" }) }],
  ["a wrong type", { body: JSON.stringify({ ...good, title: 7 }) }],
  ["negative money", { body: money({ amountMinor: -1, currency: "USD" }) }],
  ["a bad currency", { body: money({ amountMinor: 1, currency: "EURO" }) }],
  ["money as a decimal", { body: money({ amountMinor: 1.5, currency: "USD" }) }],
  ["JSON 2,000 deep", { body: deep(2_000) }],
  ["JSON 100,000 deep", { body: deep(100_000 / 8) }],
  ["__proto__", { body: '{"title":"x","category":"other","__proto__":{"admin":true}}' }],
  ["a body of 10 MB", { body: JSON.stringify({ ...good, description: "x".repeat(10_000_000) }) }],
  ["another media type", { body: JSON.stringify(good), headers: { "content-type": "text/plain" } }],
  ["a cursor of ours, bent", { method: "GET", path: "/v1/items?cursor=eyJpZCI6IngifQ" }],
  ["a cursor of noise", { method: "GET", path: "/v1/items?cursor=%00%ff" }],
  ["a limit that is none", { method: "GET", path: "/v1/items?limit=many" }],
  ["a limit of 0", { method: "GET", path: "/v1/items?limit=0" }],
  ["an unknown filter", { method: "GET", path: "/v1/items?colour=red" }],
  ["an id that is none", { method: "GET", path: "/v1/items/__x__" }],
  ["an id with a slash in it", { method: "GET", path: "/v1/items/a%2Fb" }],
  ["a path that climbs", { method: "GET", path: "/v1/../../etc/passwd" }],
  ["a broken escape in the path", { method: "GET", path: "/v1/items/%zz" }],
  ["a method that is not there", { method: "PUT", path: "/v1/items", body: JSON.stringify(good) }],
  ["a tenant with capitals", { method: "GET", path: "/v1/items", headers: { "x-tenant-id": "Carrier-A" } }],
  [
    "two tenants",
    { method: "GET", path: "/v1/items", headers: { "x-tenant-id": ["carrier-a", "atelier-nord"] } },
  ],
  [
    "a tenant id of 10 kB",
    { method: "GET", path: "/v1/items", headers: { "x-tenant-id": "a".repeat(10_000) } },
  ],
  ["headers of 100 kB", { method: "GET", path: "/v1/items", headers: { "x-big": "a".repeat(100_000) } }],
  ["an unknown host", { method: "GET", path: "/v1/items", headers: { host: "evil.example" } }],
  [
    "an idempotency key of 300 characters",
    { body: JSON.stringify(good), headers: { "idempotency-key": "k".repeat(300) } },
  ],
];

describe.each([
  ["through the router", fleet.router],
  ["straight at a cell", origin],
])("%s", (_where, url) => {
  test.each(cases.filter(([name]) => url === fleet.router || name !== "an unknown host"))(
    "%s is refused with a problem from the list",
    async (_name, rubbish) => {
      const { method = "POST", path = "/v1/items", headers = {}, body } = rubbish;
      const answer = await request(url + path, {
        method,
        headers: {
          host: carrier.host,
          authorization: carrier.authorization,
          ...(body === undefined ? {} : json),
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
      });
      const text = await answer.body.text();
      expect(answer.statusCode, text).toBeGreaterThanOrEqual(400);
      expect(answer.statusCode, text).toBeLessThan(500);
      expect(answer.headers["content-type"]).toBe("application/problem+json");
      const told = problem.parse(JSON.parse(text));
      expect(told.status).toBe(answer.statusCode);
      expect(problems[told.code].status).toBe(answer.statusCode);
      expect(text).not.toMatch(/node_modules|\.ts:\d|\.js:\d|at [A-Z]\w+\./);
    },
  );
});
