import { expect, it } from "vitest";
import { Traffic } from "./traffic.ts";

it("counts what came within five minutes, and forgets what is older", () => {
  let now = 1_000_000;
  const traffic = new Traffic(() => now);
  traffic.count(true);
  traffic.count(false);
  now += 120_000;
  traffic.count(false);
  expect(traffic.summary()).toEqual({ seconds: 300, requests: 3, failed: 1 });
  now += 190_000;
  expect(traffic.summary()).toEqual({ seconds: 300, requests: 1, failed: 0 });
  now += 300_000;
  traffic.count(true);
  expect(traffic.summary()).toEqual({ seconds: 300, requests: 1, failed: 1 });
});
