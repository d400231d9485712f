import { plainTargetRule } from "@proveniq/tenant-context/target";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type RouteCase, routeCases } from "../../apps/router/src/decide/cases.ts";
import { codeOf, send, type WireRequest } from "./wire.ts";
import { World } from "./world.ts";

/** What the load balancer sends straight to a cell: nobody has looked at it before. */
const cases = routeCases.filter((c) => c.urlMap === "cell");
const tenants = { "carrier-a": "enterprise-a", "atelier-nord": "eu", "nordic-mutual": "eu" };

let world: World;
const credentials = new Map<string, string>();
/** Each has a thing of this name, and is shown its own alone. */
const everybodys = () => `past-${world.run}`;
const canaryOf = (tenant: string) => `past-${world.run}-${tenant}`;
beforeAll(async () => {
  world = await World.enter(inject("fleet"));
  for (const [tenant, cell] of Object.entries(tenants)) {
    const key = await world.key(tenant);
    credentials.set(tenant, key);
    await world.plant(cell, key, { title: canaryOf(tenant), externalId: everybodys() });
  }
  const person = await world.token("eu", { sub: `past-${world.run}` });
  credentials.set("consumers-eu", person);
  await world.plant("eu", person, { title: canaryOf("consumers-eu"), externalId: everybodys() });
});
afterAll(() => world.close());

/** As tests of the URL maps have it: region host, pinned tenant, pinned tenant's own host. */
const cellOf = ({ host }: RouteCase) => (host.toLowerCase() === "eu.proveniq.io" ? "eu" : "enterprise-a");

async function requestOf(c: RouteCase): Promise<WireRequest> {
  const { host, path = "/v1/items", tenantHeader = [], outcome } = c;
  const named = typeof tenantHeader === "string" ? [tenantHeader] : tenantHeader;
  // Who is refused must be refused with a credential that is good in itself.
  const credential =
    "tenant" in outcome
      ? credentials.get(outcome.tenant)
      : await world.token(cellOf(c), { sub: "past", tenant: named[0] ?? "carrier-a", role: "staff" });
  const authorization = c.authorization ?? `Bearer ${credential}`;
  const headers = [["authorization", authorization], ...named.map((t) => ["x-tenant-id", t])] as const;
  return { path, host, headers: headers.map(([name = "", value = ""]) => [name, value] as const) };
}

const refused = cases.flatMap((c) => ("problem" in c.outcome ? [{ ...c, ...c.outcome }] : []));
const served = cases.flatMap((c) => ("tenant" in c.outcome ? [{ ...c, to: c.outcome }] : []));
const isList = ({ path = "/v1/items" }: RouteCase) => /^(\/t\/[^/]+)?\/v1\/items$/.test(path);

test.each(refused)("a cell refuses what the router would: $name", async (c) => {
  const { problem } = c;
  // What a service does not serve, it refuses before it asks whose it is.
  const bulk = problem === "invalid-request" ? [world.bulkOf(cellOf(c))] : [];
  const request = await requestOf(c);
  for (const origin of [world.apiOf(cellOf(c)), ...bulk]) {
    const answer = await send(origin, request);
    expect(codeOf(answer), answer.body).toBe(problem);
  }
});

test.each(served.filter(isList))("a cell finds the tenant that the router would: $name", async (c) => {
  expect(cellOf(c)).toBe(c.to.cell);
  const request = await requestOf(c);
  const answer = await send(world.apiOf(c.to.cell), {
    ...request,
    path: `${request.path}?externalId=${everybodys()}`,
  });
  expect(answer.status, answer.body).toBe(200);
  const shown = [...credentials.keys()].filter((tenant) => answer.body.includes(canaryOf(tenant)));
  expect(shown).toEqual([c.to.tenant]);
});

test.each(served.filter((c) => !isList(c)))(
  "a cell knows whose it is, as the router would: $name",
  async (c) => {
    expect(cellOf(c)).toBe(c.to.cell);
    const { cell, bulk } = c.to;
    const answer = await send(bulk === true ? world.bulkOf(cell) : world.apiOf(cell), await requestOf(c));
    // No list of things to look into: it is enough that nobody asks any more whose it is.
    expect([401, 421, 503], answer.body).not.toContain(answer.status);
    expect(answer.body).not.toContain(plainTargetRule);
  },
);

test("there is something to replay, and the router answers odd paths with the very same words", async () => {
  expect(cases.length).toBeGreaterThan(35);
  const { state } = world;
  const host = new URL(state.hosts["eu.proveniq.io"] ?? state.router).host;
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
  const bodies = await Promise.all(
    [state.router, world.apiOf("eu")].map(async (origin) => {
      const { status, headers, body } = await send(origin, {
        host,
        path: "/x/../v1/items",
        headers: [["traceparent", traceparent]],
      });
      return [status, headers["content-type"], headers["cache-control"], body];
    }),
  );
  expect(bodies[0]).toEqual(bodies[1]);
});
