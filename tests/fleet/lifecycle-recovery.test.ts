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
    const answers: number[] = [];
    await replace("emulator-enterprise-a", async () => {
      const [other, own] = await Promise.all([status(gallery), status(carrier)]);
      expect(other).toBe(200);
      answers.push(own);
    });
    const deadline = Date.now() + 20_000;
    while (answers.at(-1) !== 200 && Date.now() < deadline) {
      await sleep(20);
      answers.push(await status(carrier));
    }
    expect(answers.at(-1)).toBe(200);
    // A quick machine has it back while the call waits: then there is nothing but 200. An empty database would say 421 or 401, as if the tenant were elsewhere or its key no longer good.
    expect(answers.filter((answer) => ![200, 502, 503, 504].includes(answer))).toEqual([]);
  });

  it("is missed by no client when it is the central project's", async () => {
    await replace("emulator-central", async () => {
      expect([await status(carrier), await status(gallery)]).toEqual([200, 200]);
    });
  });
});
