import { randomUUID } from "node:crypto";
import type { Lease } from "@proveniq/contracts";
import { LeaseHeld } from "@proveniq/db/lease";
import { expect, it } from "vitest";
import { onceFree } from "./session.ts";

const leaseMs = 12_000;

/** A lease whose holder gives a sign of life every `beatMs`, until it dies; `ahead`: how fast the clocks of others are. */
function held(beatMs: number, diesAtMs: number) {
  let at = 0;
  const token = randomUUID();
  const lease = (): Lease => {
    const beats = Math.floor(Math.min(at, diesAtMs) / beatMs) * beatMs;
    return { token, who: "ann", from: "desk", until: new Date(beats + leaseMs).toISOString() };
  };
  const attempt = async (dead: Lease | undefined) => {
    if (dead?.token === token && dead.until === lease().until) return at;
    throw new LeaseHeld("cell eu", lease());
  };
  const clock = {
    now: () => at,
    pause: async (ms: number) => {
      at += ms;
    },
  };
  return { attempt, clock, at: () => at };
}

it.each([0, 1_000, 2_999])(
  "is never taken from one that lives, asked %d ms after its sign of life",
  async (since) => {
    const { attempt, clock, at } = held(3_000, Number.POSITIVE_INFINITY);
    await clock.pause(since);
    await expect(onceFree(attempt, () => undefined, clock)).rejects.toThrow("is being worked on by ann");
    expect(at() - since).toBeLessThan(5_000);
  },
);

it("is taken from one that died once a whole lease was waited for, whatever was written down", async () => {
  const told: string[] = [];
  const { attempt, clock } = held(3_000, 0);
  // Long past the time that it wrote down: by other clocks it was over before.
  await clock.pause(86_400_000);
  const taken = await onceFree(attempt, (why) => told.push(why), clock);
  expect(taken - 86_400_000).toBeGreaterThanOrEqual(leaseMs);
  expect(taken - 86_400_000).toBeLessThan(leaseMs + 1_000);
  expect(told).toEqual([
    "cell eu is being worked on by ann from desk; waiting whether that process still lives",
  ]);
});
