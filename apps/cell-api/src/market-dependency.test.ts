import { ProblemError, type ReplicaStatus } from "@proveniq/contracts";
import { expect, test } from "vitest";
import { marketDependency } from "./market-dependency.ts";
import { readinessCheck } from "./readiness.ts";

const readyWith = (status: () => Promise<ReplicaStatus>) =>
  readinessCheck([marketDependency({ status }, 300)], () => 0)();

test.each<[string, ReplicaStatus, string]>([
  ["equalled the centre just now", { sequence: 9, ageSeconds: 2 }, "ready"],
  ["is as old as is allowed", { sequence: 9, ageSeconds: 300 }, "ready"],
  ["is older", { sequence: 9, ageSeconds: 301 }, "degraded"],
  ["never equalled it", { sequence: 0, ageSeconds: null }, "degraded"],
])("a replica that %s: %s", async (_name, status, wanted) => {
  const { status: all, dependencies } = await readyWith(async () => status);
  expect([all, dependencies[0]?.state]).toEqual([wanted, wanted]);
  expect(dependencies[0]?.detail === undefined).toBe(wanted === "ready");
});

test("a replica that cannot be read degrades the cell and does not take it out of service", async () => {
  const answer = await readyWith(() => Promise.reject(new ProblemError("database-unavailable")));
  expect(answer).toMatchObject({ status: "degraded", dependencies: [{ state: "unavailable" }] });
});
