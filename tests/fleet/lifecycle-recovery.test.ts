import { setTimeout as sleep } from "node:timers/promises";
import { controlClient } from "@proveniq/local-cloud/control";
import { afterAll, describe, expect, inject, it } from "vitest";
import { Client } from "../../examples/demo/client.ts";
import { partner } from "../setup/callers.ts";

const fleet = inject("fleet");
const control = controlClient(fleet.control);
const client = new Client(fleet.router);
const carrier = partner(fleet, "carrier-a");
const gallery = partner(fleet, "atelier-nord");
afterAll(() => client.close());

const status = async (who: typeof carrier) => (await client.call(who, "GET", "/v1/items?limit=1")).status;
const pid = async (service: string) => (await control.services())[service]?.pid;

/** Kill an emulator and call `meanwhile` again and again until another process has taken its place. */
async function replace(emulator: string, meanwhile: () => Promise<void>): Promise<void> {
  const before = await pid(emulator);
  await control.kill(emulator);
  const deadline = Date.now() + 20_000;
  while ((await pid(emulator)) === before && Date.now() < deadline) await meanwhile();
  expect(await pid(emulator)).not.toBe(before);
}

describe("an emulator that dies", () => {
  it("comes back with its tenants and their keys, and nobody else notices", async () => {
    await replace("emulator-enterprise-a", async () => expect(await status(gallery)).toBe(200));
    const deadline = Date.now() + 20_000;
    while ((await status(carrier)) !== 200 && Date.now() < deadline) await sleep(100);
    expect(await status(carrier)).toBe(200);
  });

  it("is missed by no client when it is the central project's", async () => {
    await replace("emulator-central", async () => {
      expect([await status(carrier), await status(gallery)]).toEqual([200, 200]);
    });
  });
});
