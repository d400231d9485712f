import { check, integer, property, record, stringMatching, uniqueArray } from "fast-check";
import { describe, expect, it } from "vitest";
import { PlacementTable } from "./placement-table.ts";

const entry = record({
  tenantId: stringMatching(/^[a-z][a-z0-9-]{1,38}[a-z0-9]$/),
  cell: integer({ min: 0, max: 0xffff }),
  epoch: integer({ min: 1, max: 0xffffffff }),
});
const keyBytes = (entries: readonly { tenantId: string }[]) =>
  entries.reduce((sum, e) => sum + e.tenantId.length, 0);

describe("PlacementTable", () => {
  it("answers like a Map, for what is in it and for what is not", () => {
    const entries = uniqueArray(entry, { selector: (e) => e.tenantId, maxLength: 200 });
    const others = uniqueArray(stringMatching(/^[a-z][a-z0-9-]{1,38}[a-z0-9]$/), { maxLength: 50 });
    const result = check(
      property(entries, others, (all, strangers) => {
        const table = PlacementTable.build(all, all.length, keyBytes(all));
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
    expect(PlacementTable.build([], 0, 0).find("carrier-a")).toBe(-1);
  });

  it("does not mistake a prefix, an extension or a longer character for a key", () => {
    const table = PlacementTable.build([{ tenantId: "carrier-a", cell: 0, epoch: 1 }], 1, 9);
    for (const key of ["carrier-", "carrier-ab", "arrier-a", "", "carrier-\u0161", "\u0163arrier-a"]) {
      expect(table.find(key)).toBe(-1);
    }
  });

  it("refuses what it could not give back", () => {
    expect(() => PlacementTable.build([{ tenantId: "abc", cell: 0x10000, epoch: 1 }], 1, 3)).toThrow(
      RangeError,
    );
  });

  it("stays under 100 bytes a tenant", () => {
    const entries = Array.from({ length: 10_000 }, (_, n) => ({
      tenantId: `insurance-partner-${String(n).padStart(6, "0")}`,
      cell: n % 8,
      epoch: 1,
    }));
    expect(PlacementTable.build(entries, 10_000, keyBytes(entries)).bytes / 10_000).toBeLessThan(60);
  });
});
