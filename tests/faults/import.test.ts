import { afterAll, beforeAll, expect, test } from "vitest";
import { callsOf, importThrough, seededPoints } from "./import/points.ts";
import { type ImportRig, startRig } from "./import/rig.ts";

const rows = 2_800;
let rig: ImportRig;
let calls: number;
beforeAll(async () => {
  rig = await startRig({ deadTransactions: "end" });
  calls = await callsOf(rig, rows);
});
afterAll(() => rig.close());

test.each(seededPoints(1, 5))(
  "an import loses and doubles nothing: $fault at $percent % of its calls",
  async (point) => {
    const { summary, found } = await importThrough(rig, point, rows, calls);
    expect(summary).toMatchObject({ rows, created: rows, changed: 0, unchanged: 0, failed: 0 });
    expect(found).toEqual({ items: rows, wrong: [], events: { "item.created": rows }, misreported: 0 });
  },
);
