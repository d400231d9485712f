import fc from "fast-check";
import { expect, test } from "vitest";
import { setBounded } from "./bounded-map.ts";

test("keeps the entries that were set last, each with its last value, and never more than the limit", () => {
  const entry = fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer());
  fc.assert(
    fc.property(fc.array(entry), fc.integer({ min: 1, max: 6 }), (entries, limit) => {
      const map = new Map<number, number>();
      for (const [key, value] of entries) setBounded(map, key, value, limit);
      const lastFirst = [...new Set(entries.map(([key]) => key).toReversed())];
      expect([...map.keys()].toReversed()).toEqual(lastFirst.slice(0, limit));
      const last = new Map(entries);
      for (const [key, value] of map) expect(value).toBe(last.get(key));
    }),
  );
});
