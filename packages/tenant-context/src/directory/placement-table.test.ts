import { check, integer, property, record, stringMatching, uniqueArray } from "fast-check";
import { describe, expect, it } from "vitest";
import { PlacementTable, PlacementTableBuilder } from "./placement-table.ts";

const entry = record({
  tenantId: stringMatching(/^[a-z][a-z0-9-]{1,38}[a-z0-9]$/),
  cell: integer({ min: 0, max: 0xffff }),
  epoch: integer({ min: 1, max: 0xffffffff }),
});

describe("PlacementTable", () => {
  it("answers like a Map, for what is in it and for what is not", () => {
    const entries = uniqueArray(entry, { selector: (e) => e.tenantId, maxLength: 200 });
    const others = uniqueArray(stringMatching(/^[a-z][a-z0-9-]{1,38}[a-z0-9]$/), { maxLength: 50 });
    const result = check(
      property(entries, others, (all, strangers) => {
        const table = PlacementTable.of(all);
        const known = new Map(all.map((e) => [e.tenantId, e]));
        return (
          table.size === all.length &&
          all.every((e) => {
            const at = table.find(e.tenantId);
            return at !== -1 && table.cellAt(at) === e.cell && table.epochAt(at) === e.epoch;
          }) &&
          strangers.every((id) => (table.find(id) !== -1) === known.has(id))
        );
      }),
    );
    expect(result.failed).toBe(false);
  });

  it("is empty but usable without entries", () => {
    expect(PlacementTable.of([]).find("carrier-a")).toBe(-1);
  });

  it("does not mistake a prefix, an extension or a longer character for a key", () => {
    const table = PlacementTable.of([{ tenantId: "carrier-a", cell: 0, epoch: 1 }]);
    for (const key of ["carrier-", "carrier-ab", "arrier-a", "", "carrier-\u0161", "\u0163arrier-a"]) {
      expect(table.find(key)).toBe(-1);
    }
  });

  it("refuses what it could not give back", () => {
    expect(() => PlacementTable.of([{ tenantId: "abc", cell: 0x10000, epoch: 1 }])).toThrow(RangeError);
  });

  it("takes each tenant once, and gives back what it was promised too much", () => {
    const builder = new PlacementTableBuilder(10, 1_000);
    expect([builder.add("carrier-a", 1, 1), builder.add("carrier-a", 2, 2)]).toEqual([true, false]);
    const table = builder.finish();
    expect([table.size, table.cellAt(table.find("carrier-a"))]).toEqual([1, 1]);
    expect(table.bytes).toBeLessThan(200);
  });

  it("stays under 100 bytes a tenant", () => {
    const entries = Array.from({ length: 10_000 }, (_, n) => ({
      tenantId: `insurance-partner-${String(n).padStart(6, "0")}`,
      cell: n % 8,
      epoch: 1,
    }));
    expect(PlacementTable.of(entries).bytes / 10_000).toBeLessThan(60);
  });
});
