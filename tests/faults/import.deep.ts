import { describe, expect, test } from "vitest";
import { callsOf, importThrough, seededPoints } from "./import/points.ts";
import { startRig } from "./import/rig.ts";

/** Several chunks, so that one is under way while another's answer comes. */
const rows = 6_000;
const points = seededPoints(2, 100);
const partSize = 10;
const parts = Array.from({ length: points.length / partSize }, (_, n) => ({
  part: n + 1,
  points: points.slice(n * partSize, (n + 1) * partSize),
  // A dead process's locks stay for a minute. To see that they do no more than that, some of the points wait for it.
  deadTransactions: n < 2 ? ("wait" as const) : ("end" as const),
}));

/** 100 points in ten parts, each on an emulator of its own: `-t "part 3"` runs one. */
describe("an import loses and doubles nothing", () => {
  test.each(parts)("part $part of its points, where dead transactions $deadTransactions", async (part) => {
    const rig = await startRig(part);
    try {
      const calls = await callsOf(rig, rows);
      for (const point of part.points) {
        const { summary, found } = await importThrough(rig, point, rows, calls);
        const at = `${point.fault} at ${point.percent} % of ${calls} calls`;
        expect({ at, ...summary }).toMatchObject({
          at,
          rows,
          created: rows,
          changed: 0,
          unchanged: 0,
          failed: 0,
        });
        expect({ at, ...found }).toEqual({
          at,
          items: rows,
          wrong: [],
          events: { "item.created": rows },
          misreported: 0,
        });
      }
    } finally {
      await rig.close();
    }
  });
});
