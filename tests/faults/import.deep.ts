import { afterAll, beforeAll, expect, test } from "vitest";
import { importThrough, seededPoints } from "./import/points.ts";
import { type ImportRig, startRig } from "./import/rig.ts";

/** Several chunks, so that one is under way while another's answer comes. */
const rows = 6_000;
let rig: ImportRig;
beforeAll(async () => {
  rig = await startRig({ deadTransactions: "wait" });
});
afterAll(() => rig.close());

test("an import loses and doubles nothing at any of 100 points", async () => {
  for (const point of seededPoints(2, 100, 34)) {
    const { summary, found } = await importThrough(rig, point, rows);
    const at = `${point.fault} after ${point.afterCalls} calls`;
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
});
