import { expect, inject, test } from "vitest";
import { interleave, leaksNothing } from "./interleaved.ts";

/** `npm run test:deep` plays 10,000. */
test("800 interleaved requests of 50 tenants and 200 people leak nothing", {
  timeout: 120_000,
}, async () => {
  const outcome = await interleave(inject("fleet"), { tenants: 50, requests: 800, atOnce: 24 });
  expect(leaksNothing(outcome)).toEqual({ leaks: [], losses: [], statuses: [200] });
  expect(outcome.requests).toBeGreaterThanOrEqual(800);
});
