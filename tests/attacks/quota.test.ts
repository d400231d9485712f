import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { cell, type Scene, setScene } from "./scene.ts";
import { codeOf, send } from "./wire.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await setScene(inject("fleet"));
});
afterAll(() => scene.world.close());

test("ten times the quota: the tenant gets its own and not more, and nobody else gets less", async () => {
  const { world } = scene;
  const tenant = await world.tenant(`attack-greedy-${world.run}`, cell, "eu-partners");
  await world.settle(tenant, { requestsPerSecond: 5 });
  const key = await world.key(tenant);
  const [door] = world.doors(cell);
  if (door === undefined) throw new Error("no door");
  const ask = (credential: string) =>
    send(door.origin, {
      path: "/v1/me",
      host: door.host,
      headers: [["authorization", `Bearer ${credential}`]],
    });
  // The router hears of the tenant a moment after it was added.
  await expect.poll(async () => (await ask(key)).status, { timeout: 10_000 }).toBe(200);
  const started = performance.now();
  const answers: Awaited<ReturnType<typeof ask>>[] = [];
  const neighbours: number[] = [];
  for (let round = 0; round < 25; round += 1) {
    answers.push(...(await Promise.all(Array.from({ length: 20 }, () => ask(key)))));
    neighbours.push((await ask(scene.red.key)).status, (await ask(scene.blue.bob)).status);
  }
  const seconds = (performance.now() - started) / 1000;
  const served = answers.filter((a) => a.status === 200).length;
  const refused = answers.filter((a) => a.status === 429);
  // 5 a second, and ten seconds' worth at once after a rest.
  expect(served).toBeLessThanOrEqual(50 + 5 * seconds + 1);
  expect(served + refused.length).toBe(answers.length);
  expect(refused.length).toBeGreaterThan(300);
  for (const answer of refused) {
    expect(codeOf(answer)).toBe("too-many-requests");
    expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(answer.headers["ratelimit"]).toMatch(/^"tenant";r=0;t=\d+$/);
    expect(answer.headers["ratelimit-policy"]).toBe('"tenant";q=50;w=10');
  }
  expect(new Set(neighbours)).toEqual(new Set([200]));
});

test("a person's quota is the person's: other people of the tenant are served", async () => {
  const { world } = scene;
  const greedy = await world.token(cell, { sub: `greedy-${world.run}`, tenant: scene.blue.tenant });
  const origin = world.apiOf(cell);
  const ask = (credential: string) =>
    send(origin, { path: "/v1/me", host: "cell", headers: [["authorization", `Bearer ${credential}`]] });
  const statuses: number[] = [];
  // A slow machine earns while it asks: go on until it is refused.
  for (let round = 0; round < 60 && !statuses.includes(429); round += 1) {
    statuses.push(...(await Promise.all(Array.from({ length: 30 }, async () => (await ask(greedy)).status))));
  }
  expect(statuses.filter((s) => s === 429).length).toBeGreaterThan(0);
  for (const other of [scene.blue.bob, scene.blue.ben, scene.blue.key, scene.blue.staff]) {
    expect((await ask(other)).status).toBe(200);
  }
});
