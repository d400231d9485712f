import { expect, test } from "vitest";
import { hunt } from "../hunt/imports/index.ts";

/** A little of `npm run hunt -- imports`, and of its kills: 20,000 cases are for the deep tests. */
test("small imports mean what their files say, also when processes die", { timeout: 120_000 }, async () => {
  const result = await hunt.run({
    seed: 1,
    first: 0,
    count: 1_000,
    deadline: performance.now() + 20_000,
    enough: 1,
    options: { kills: "some" },
    progress: () => undefined,
  });
  expect(result.violations).toEqual([]);
  expect(result.schedules).toBeGreaterThan(5);
});
