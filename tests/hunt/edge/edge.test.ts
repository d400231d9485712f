import { expect, test } from "vitest";
import { huntEdge } from "./index.ts";

/** `npm run test:deep -- edge` plays 100,000. */
test("20 seconds of clients and cells that do not behave break no rule", { timeout: 120_000 }, async () => {
  const { schedules, violations } = await huntEdge({
    // Another part of all that chance can do with every day.
    seed: Math.floor(Date.now() / 86_400_000),
    first: 0,
    count: 100_000,
    deadline: performance.now() + 20_000,
    enough: 3,
    options: {},
    progress: () => undefined,
  });
  expect(violations).toEqual([]);
  expect(schedules).toBeGreaterThan(100);
});
