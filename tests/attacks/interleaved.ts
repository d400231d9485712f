import { randomInt, randomUUID } from "node:crypto";
import type { FleetState } from "@proveniq/local-cloud/fleet";
import { Agent, request } from "undici";
import { World } from "./world.ts";

interface Actor {
  credential: string;
  cell: string;
  tenant: string;
  /** The canaries that may be in what this one sees; a partner's key sees all of its tenant. */
  allowed: Set<string>;
  own: { id: string; canary: string }[];
}

export interface Outcome {
  requests: number;
  /** By status. */
  statuses: Map<number, number>;
  /** Answers that held somebody else's canary, or lacked one's own. */
  leaks: string[];
  losses: string[];
  seconds: number;
}

/** What must be empty, and the one status that there must be. */
export function leaksNothing({ leaks, losses, statuses }: Outcome) {
  return { leaks: leaks.slice(0, 10), losses: losses.slice(0, 10), statuses: [...statuses.keys()] };
}

const cells: readonly { cell: string; databases: readonly string[] }[] = [
  { cell: "eu", databases: ["eu-partners", "eu-carriers"] },
  { cell: "consumer", databases: ["(default)"] },
  { cell: "enterprise-a", databases: ["enterprise-a"] },
];

/**
 * `tenants` tenants in every cell and database, four people in each with a thing of their own and one key for the
 * book: everybody at once, in random order, through the router and past it, each answer checked for the canaries of all others.
 */
export async function interleave(
  state: FleetState,
  { tenants, requests, atOnce }: { tenants: number; requests: number; atOnce: number },
): Promise<Outcome> {
  const world = await World.enter(state);
  const agent = new Agent({ connections: atOnce });
  try {
    const actors = await populate(world, tenants);
    const outcome: Outcome = { requests: 0, statuses: new Map(), leaks: [], losses: [], seconds: 0 };
    const started = performance.now();
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        while (outcome.requests < requests) {
          outcome.requests += 1;
          const actor = actors[randomInt(actors.length)];
          if (actor !== undefined) await act(world, agent, actor, outcome);
        }
      }),
    );
    outcome.seconds = (performance.now() - started) / 1000;
    return outcome;
  } finally {
    await agent.close();
    await world.close();
  }
}

async function populate(world: World, tenants: number): Promise<Actor[]> {
  const places = Array.from({ length: tenants }, (_, n) => {
    const { cell, databases } = cells[n % cells.length] ?? { cell: "", databases: [] };
    const databaseId = databases[Math.floor(n / cells.length) % databases.length] ?? "";
    return { tenantId: `crowd-${n}`, cellId: cell, databaseId };
  });
  await world.tenants(places);
  const groups = await inTurns(places, 5, async ({ tenantId: tenant, cellId: cell }) => {
    const partner: Actor = { credential: await world.key(tenant), cell, tenant, allowed: new Set(), own: [] };
    const people: Actor[] = [];
    for (let p = 0; p < 4; p += 1) {
      // The same names in every tenant: a subject alone must never be enough.
      const credential = await world.token(cell, { sub: `person-${p}`, tenant });
      const canary = `canary-${randomUUID()}`;
      const id = await world.plant(cell, credential, { title: canary, externalId: `thing-${world.run}` });
      people.push({ credential, cell, tenant, allowed: new Set([canary]), own: [{ id, canary }] });
      partner.allowed.add(canary);
      partner.own.push({ id, canary });
    }
    return [partner, ...people];
  });
  return groups.flat();
}

async function inTurns<T, R>(all: readonly T[], atOnce: number, work: (one: T) => Promise<R>): Promise<R[]> {
  const rest = [...all];
  const results: R[] = [];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let one = rest.shift(); one !== undefined; one = rest.shift()) results.push(await work(one));
    }),
  );
  return results;
}

async function act(world: World, agent: Agent, actor: Actor, outcome: Outcome): Promise<void> {
  const thing = actor.own[randomInt(actor.own.length)];
  if (thing === undefined) return;
  const dice = randomInt(10);
  const item = `/v1/items/${thing.id}`;
  const [method, path, body] =
    dice < 4
      ? (["GET", item, undefined] as const)
      : dice < 7
        ? (["GET", "/v1/items?limit=100", undefined] as const)
        : dice < 8
          ? (["GET", "/v1/me", undefined] as const)
          : dice < 9
            ? (["GET", "/v1/portfolio", undefined] as const)
            : (["PATCH", item, { description: `${thing.canary} again` }] as const);
  const doors = world.doors(actor.cell);
  const door = doors[randomInt(doors.length)];
  const response = await request(new URL(path, door?.origin), {
    method,
    dispatcher: agent,
    headers: {
      // At the cell too: as the load balancer hands on what it sends straight there.
      host: door?.host ?? "",
      authorization: `Bearer ${actor.credential}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.body.text();
  const { statusCode: status } = response;
  outcome.statuses.set(status, (outcome.statuses.get(status) ?? 0) + 1);
  const seen = new Set(`${text} ${JSON.stringify(response.headers)}`.match(/canary-[0-9a-f-]{36}/g));
  for (const canary of seen) {
    if (!actor.allowed.has(canary)) outcome.leaks.push(`${method} ${path} of ${actor.tenant}: ${canary}`);
  }
  if (path === "/v1/me" && !text.includes(`"tenantId":"${actor.tenant}"`)) {
    outcome.leaks.push(`/v1/me of ${actor.tenant}: ${text}`);
  }
  const wanted = path === item ? [thing.canary] : path.startsWith("/v1/items") ? [...actor.allowed] : [];
  if (status === 200 && !wanted.every((canary) => seen.has(canary))) {
    outcome.losses.push(`${method} ${path} of ${actor.tenant} lacks what is its own`);
  }
}
