import { expect, test } from "vitest";
import { hunt } from "./index.ts";

const seconds = 1_800;
/** What even a machine that does much else plays in that time. */
const least = 2_000;

/** As many as half an hour has room for; `npm run hunt -- imports --cases 20000 --seconds 10000` plays more. */
test("small imports mean what their files say, also when processes die", {
  timeout: (seconds + 300) * 1_000,
}, async () => {
  const result = await hunt.run({
    seed: 1,
    first: 0,
    count: 1_000_000,
    deadline: performance.now() + seconds * 1_000,
    enough: 5,
    options: { kills: "some" },
    progress: (line) => console.log(line),
  });
  console.log(`${result.schedules} cases: ${JSON.stringify(result.figures)}`);
  expect(result.violations).toEqual([]);
  expect(result.schedules).toBeGreaterThan(least);
});
