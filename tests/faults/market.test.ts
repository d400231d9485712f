import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { marketValueAnswer } from "@proveniq/contracts";
import { loadManifests } from "@proveniq/control-plane";
import { controlClient } from "@proveniq/local-cloud/control";
import { localProver } from "@proveniq/local-cloud/fleet";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Caller, Client } from "../../examples/demo/client.ts";
import { diamonds } from "../../examples/market/diamonds.ts";
import { valuesOf } from "../../examples/market/values.ts";
import { callerPerCell } from "../setup/callers.ts";
import { book, killRepeatedly, type Replica, startReplica } from "./market-replica.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("the centre, cut off from every cell", () => {
  const fleet = inject("fleet");
  const control = controlClient(fleet.control);
  const client = new Client(fleet.router);
  let callers: Caller[];
  beforeAll(async () => {
    callers = Object.values(await callerPerCell(fleet));
  });
  afterAll(async () => {
    await control.relay("central").restore();
    await client.close();
  });

  const read = async (caller: Caller, key: string) => {
    const answer = await client.call(caller, "GET", `/v1/market-values/${key}`);
    return { status: answer.status, answer: marketValueAnswer.parse(answer.json), ms: answer.ms };
  };

  test("costs no cell an answer: values are served, known or not, with their age, and it recovers by itself", async () => {
    const keys = valuesOf(await diamonds(3_000), "2026-11-01").map((v) => v.marketKey);
    expect(keys.length).toBeGreaterThan(100);
    await control.relay("central").cut();
    const began = performance.now();
    const statuses: number[] = [];
    const ages: number[] = [];
    for (let n = 0; performance.now() - began < 6_000; n++) {
      for (const caller of callers) {
        const { status, answer } = await read(caller, keys[n % keys.length] ?? "");
        statuses.push(status);
        ages.push(answer.replica.ageSeconds ?? Number.NaN);
      }
      await sleep(50);
    }
    expect(new Set(statuses)).toEqual(new Set([200]));
    // Nobody pretended: the age that is told has grown with the outage.
    expect(Math.max(...ages.slice(-3))).toBeGreaterThanOrEqual(4);
    const [prove, manifests] = await Promise.all([localProver(fleet), loadManifests(join(root, "infra"))]);
    for (const [id, { api }] of Object.entries(fleet.cells)) {
      const ready = `${api}/ready`;
      const headers = prove(manifests[id]?.residency ?? "global", ready);
      expect((await fetch(ready, { headers })).status).toBe(200);
    }

    await control.relay("central").restore();
    const key = keys[0] ?? "";
    await expect
      .poll(
        async () =>
          Math.max(
            ...(await Promise.all(callers.map((c) => read(c, key)))).map(
              (r) => r.answer.replica.ageSeconds ?? 99,
            ),
          ),
        {
          timeout: 15_000,
          interval: 200,
        },
      )
      .toBeLessThan(6);
  });
});

describe("a replicator that is killed with -9", () => {
  let replica: Replica;
  beforeAll(async () => {
    replica = await startReplica();
  });
  afterAll(() => replica.close());

  test("at five seeded points leaves a replica that ends equal, and no value ever goes back", async () => {
    const { wentBack, midway } = await killRepeatedly(replica, { kills: 5, seed: 6, values: 1_000 });
    expect(wentBack).toEqual([]);
    expect(midway).toBeGreaterThan(0);
    expect(await replica.settled()).toEqual({ differing: [], missing: 0, strays: [] });
  });

  test("finds its own work when the reply to a commit is lost, whatever it was doing", async () => {
    await replica.end("SIGTERM");
    for (const renewed of [false, true]) {
      await replica.publish(book(1_200, renewed ? 101 : 100));
      if (renewed) await replica.renew();
      replica.relays.cell.dropReplies(2, (request) => request.includes("/documents/values/"));
      replica.start();
      expect(await replica.settled()).toEqual({ differing: [], missing: 0, strays: [] });
      await replica.end("SIGTERM");
    }
    expect(replica.relays.cell.counters().dropped).toBe(4);
  });
});
