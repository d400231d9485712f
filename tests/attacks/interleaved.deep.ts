import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type RunningFleet, startFleet } from "@proveniq/local-cloud/fleet";
import { afterAll, beforeAll, expect, test } from "vitest";
import { interleave, leaksNothing } from "./interleaved.ts";

let fleet: RunningFleet;
let stateDir: string;
beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "attacks-"));
  const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
  fleet = await startFleet({ root, stateDir, portBase: 28_500 });
});
afterAll(async () => {
  await fleet.stop();
  await rm(stateDir, { recursive: true, force: true });
});

test("10,000 interleaved requests of 50 tenants and 200 people leak nothing", async () => {
  const outcome = await interleave(fleet.state, { tenants: 50, requests: 10_000, atOnce: 24 });
  console.log(
    `${outcome.requests} requests in ${outcome.seconds.toFixed(1)} s, ${outcome.leaks.length} leaks`,
  );
  expect(leaksNothing(outcome)).toEqual({ leaks: [], losses: [], statuses: [200] });
  expect(outcome.requests).toBeGreaterThanOrEqual(10_000);
});
