import { expect, test } from "vitest";
import { hunt } from "./index.ts";

const cases = 20_000;
const seconds = 1_800;

test(`${cases} small imports mean what their files say, also when processes die`, {
  timeout: (seconds + 300) * 1_000,
}, async () => {
  const result = await hunt.run({
    seed: 1,
    first: 0,
    count: cases,
    deadline: performance.now() + seconds * 1_000,
    enough: 5,
    options: { kills: "some" },
    progress: (line) => console.log(line),
  });
  console.log(JSON.stringify(result.figures));
  expect(result.violations).toEqual([]);
  expect(result.schedules).toBe(cases);
});
