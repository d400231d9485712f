import { expect, test } from "vitest";
import { huntEdge } from "./index.ts";

test("100,000 schedules break no rule", { timeout: 1_800_000 }, async () => {
  const startedAt = performance.now();
  const { schedules, violations, figures } = await huntEdge({
    seed: 2026,
    first: 0,
    count: 100_000,
    deadline: startedAt + 1_680_000,
    enough: 5,
    options: {},
    progress: (line) => console.log(line),
  });
  console.log(JSON.stringify(figures));
  expect(violations).toEqual([]);
  expect(schedules).toBe(100_000);
});
