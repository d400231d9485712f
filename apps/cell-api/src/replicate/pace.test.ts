import { expect, test } from "vitest";
import { Pace } from "./pace.ts";

/** A pace on a clock that only waiting moves. */
function timed(startRate: number, maxRate: number) {
  const clock = { now: 1_000_000 };
  const pace = new Pace({
    startRate,
    maxRate,
    now: () => clock.now,
    wait: async (ms) => {
      clock.now += ms;
    },
  });
  return { clock, pace };
}

test("documents are written no faster than the rate", async () => {
  const { clock, pace } = timed(500, 2_000);
  const began = clock.now;
  for (let n = 0; n < 21; n++) await pace.take(500);
  // The first 500 go at once; the other 10,000 at 2,000 a second.
  expect(clock.now - began).toBe(5_000);
});

test("a start from nothing begins at 500 a second and grows by half every five minutes, up to the rate", () => {
  const { clock, pace } = timed(500, 2_000);
  const startedAt = clock.now;
  const rates = [0, 4.9, 5, 10, 15, 20, 600].map((minutes) => {
    clock.now = startedAt + minutes * 60_000;
    return pace.rate(startedAt);
  });
  expect(rates).toEqual([500, 500, 750, 1_125, 1_687.5, 2_000, 2_000]);
});

test("time that was not used is not saved up", async () => {
  const { clock, pace } = timed(500, 1_000);
  clock.now += 60_000;
  const began = clock.now;
  for (let n = 0; n < 3; n++) await pace.take(1_000);
  expect(clock.now - began).toBe(2_000);
});
