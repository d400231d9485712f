import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { Attack } from "./cases/attack.ts";
import { bodyAttacks } from "./cases/bodies.ts";
import { credentialAttacks } from "./cases/credentials.ts";
import { headerAttacks } from "./cases/headers.ts";
import { objectAttacks } from "./cases/objects.ts";
import { tenantAttacks } from "./cases/tenants.ts";
import { cell, type Scene, setScene } from "./scene.ts";
import { codeOf, send } from "./wire.ts";

let scene: Scene;
let before: string;
beforeAll(async () => {
  scene = await setScene(inject("fleet"));
  before = await scene.holdings();
});
afterAll(() => scene.world.close());

const families: Record<string, readonly Attack[]> = {
  "the tenant": tenantAttacks,
  "the credential": credentialAttacks,
  headers: headerAttacks,
  "objects and filters": objectAttacks,
  bodies: bodyAttacks,
};

for (const [family, attacks] of Object.entries(families)) {
  describe(`attacks on ${family}`, () => {
    test.each(attacks.map((attack) => [attack.name, attack] as const))("%s", async (_, attack) => {
      for (const door of scene.world.doors(cell)) {
        const allowed = door.name === "cell" ? (attack.atCell ?? attack.outcomes) : attack.outcomes;
        for (const [n, request] of (await attack.make(scene, door)).entries()) {
          const answer = await send(door.origin, request);
          const outcome = [answer.status, codeOf(answer)].filter((x) => x !== undefined).join(" ");
          expect([door.name, n, allowed], `request ${n}: ${answer.body.slice(0, 300)}`).toEqual([
            door.name,
            n,
            expect.arrayContaining([outcome]),
          ]);
          expect(JSON.stringify(answer)).not.toContain(scene.canary);
          expect(answer.headers).not.toHaveProperty("x-proveniq-successor");
        }
      }
    });
  });
}

test("after all of them the victims' things are as they were", async () => {
  expect(await scene.holdings()).toBe(before);
  expect(before.split("\n").every((line) => line.startsWith("200 "))).toBe(true);
});
