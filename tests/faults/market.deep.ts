import { afterAll, beforeAll, expect, test } from "vitest";
import { killRepeatedly, type Replica, startReplica } from "./market-replica.ts";

let replica: Replica;
beforeAll(async () => {
  replica = await startReplica();
});
afterAll(() => replica.close());

test("a replicator killed with -9 at fifty seeded points leaves a replica that ends equal, and no value ever goes back", async () => {
  const { wentBack, midway, lineages } = await killRepeatedly(replica, {
    kills: 50,
    seed: 2026,
    values: 4_000,
  });
  expect(wentBack).toEqual([]);
  // The points hit what they are meant to hit.
  expect(midway).toBeGreaterThan(20);
  expect(lineages).toBe(10);
  expect(await replica.settled(60_000)).toEqual({ differing: [], missing: 0, strays: [] });
});
