import type { ItemInput } from "@proveniq/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ItemRecord } from "../items/document.ts";
import { type DecideOptions, decide, type NamedRow, type Standing } from "./decide.ts";
import { keyAt, keyOf, packIds, unpackId } from "./ids.ts";
import { idRanges, NamedKeys } from "./named.ts";
import { compareRanks, rankRow, rowOfRank } from "./rank.ts";

const stamp = { writeId: "w".repeat(20), at: new Date(0) };
const options = (more: Partial<DecideOptions> = {}): DecideOptions => ({
  job: { seq: 2, source: "book", governed: "all" },
  chunk: 1,
  tenantId: "carrier-a",
  stamp,
  olderOpen: false,
  ...more,
});
const upsert = (id: string, at: number, input: Partial<ItemInput> = {}): NamedRow => ({
  id,
  at,
  externalId: id,
  source: { row: at + 1 },
  op: "upsert",
  input: { title: "Ring", category: "jewellery", externalId: id, ...input },
});
const gone = (id: string, at: number): NamedRow => ({
  id,
  at,
  externalId: id,
  source: { row: at + 1 },
  op: "delete",
});
const stored = (input: Partial<ItemInput>, imported?: ItemRecord["imported"]): Standing => ({
  item: {
    input: { title: "Ring", category: "jewellery", externalId: "A", ownerId: "carrier-a", ...input },
    version: 3,
    writeId: "old",
    createdAt: new Date(0),
    updatedAt: new Date(0),
    ...(imported === undefined ? {} : { imported }),
  },
  tombstone: undefined,
});
const nothing: Standing = { item: undefined, tombstone: undefined };
const one = (row: NamedRow, standing: Standing, more: Partial<DecideOptions> = {}) =>
  decide([row], () => standing, options(more));

describe("a row", () => {
  test("about a new thing creates it, in the tenant's name unless it says whose it is", () => {
    const made = one(upsert("A", 0), nothing);
    expect(made.verdicts[0]?.after).toMatchObject({
      version: 1,
      input: { ownerId: "carrier-a" },
      imported: { job: 2 },
    });
    expect(one(upsert("A", 0, { ownerId: "ann" }), nothing).verdicts[0]?.after?.input.ownerId).toBe("ann");
    expect(made.events).toMatchObject([{ type: "item.created", deltas: { items: 1 } }]);
  });

  test("that changes nothing writes nothing, unless an older import is open or the thing was not this source's", () => {
    const mine = { source: "book", job: 1, row: 0 };
    expect(one(upsert("A", 0), stored({}, mine))).toMatchObject({
      verdicts: [],
      events: [],
      counts: { unchanged: 1 },
    });
    for (const made of [
      one(upsert("A", 0), stored({}, mine), { olderOpen: true }),
      one(upsert("A", 0), stored({}, { ...mine, source: "other" })),
      one(upsert("A", 0), stored({})),
    ]) {
      expect(made).toMatchObject({ verdicts: [{ kind: "touched", after: { version: 3 } }], events: [] });
    }
  });

  test("that changes something makes the next version and one event", () => {
    const made = one(upsert("A", 0, { title: "New" }), stored({}));
    expect(made).toMatchObject({
      verdicts: [{ kind: "changed", after: { version: 4, writeId: stamp.writeId } }],
      events: [{ type: "item.updated", changed: ["title"] }],
    });
  });

  test("leaves alone what its import does not govern", () => {
    const before = stored({
      location: "Vault 7",
      description: "Old",
      attributes: { carat: 1, note: "mine" },
      ownerId: "ann",
    });
    const governed = { fields: ["externalId", "title", "category", "description"], attributes: ["carat"] };
    const made = one(upsert("A", 0, { attributes: { carat: 2 } }), before, {
      job: { seq: 2, source: "book", governed },
    });
    expect(made.verdicts[0]?.after?.input).toEqual({
      title: "Ring",
      category: "jewellery",
      externalId: "A",
      ownerId: "ann",
      location: "Vault 7",
      attributes: { carat: 2, note: "mine" },
    });
  });

  test("is refused when the thing would have too many attributes", () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`a${n}`, n]));
    const governed = { fields: ["title"], attributes: ["carat"] };
    const made = one(upsert("A", 0, { attributes: { carat: 2 } }), stored({ attributes: many }), {
      job: { seq: 2, source: "book", governed },
    });
    expect(made).toMatchObject({
      verdicts: [],
      counts: { failed: 1 },
      refused: [{ note: { field: "/attributes" } }],
    });
  });

  test("of lower rank decides nothing", () => {
    for (const imported of [
      { source: "book", job: 3, row: 0 },
      { source: "book", job: 2, row: rankRow(2, 0) },
    ]) {
      expect(one(upsert("A", 5, { title: "New" }), stored({}, imported)).counts.superseded).toBe(1);
      expect(one(gone("A", 5), stored({}, imported)).counts.superseded).toBe(1);
    }
    const tombstone = { job: 3, row: 0 };
    expect(one(upsert("A", 5), { item: undefined, tombstone }).counts.superseded).toBe(1);
  });

  test("that deletes leaves a tombstone only while an older import is open", () => {
    expect(one(gone("A", 0), stored({}))).toMatchObject({
      verdicts: [{ after: null }],
      tombstones: [],
      counts: { deleted: 1 },
    });
    expect(one(gone("A", 0), nothing, { olderOpen: true })).toMatchObject({
      verdicts: [],
      tombstones: [{ id: "A" }],
      counts: { absent: 1 },
    });
  });
});

test("whatever order the rows of several imports come in, the highest about a thing decides", () => {
  const row = fc.record({
    job: fc.integer({ min: 1, max: 3 }),
    at: fc.nat(4000),
    chunk: fc.integer({ min: 1, max: 3 }),
    title: fc.constantFrom("a", "b"),
    op: fc.constantFrom("upsert" as const, "upsert" as const, "delete" as const),
  });
  // One row a chunk and job: rows of one import that repeat a thing are settled when it is completed.
  const rows = fc.uniqueArray(row, { selector: (r) => r.job, minLength: 1, maxLength: 3 });
  const before = fc.constantFrom(undefined, "a", "b");
  fc.assert(
    fc.property(rows, before, fc.func(fc.nat()), (all, initial, shuffle) => {
      const ordered = all.toSorted((a, b) => shuffle(a.job) - shuffle(b.job));
      let standing: Standing = initial === undefined ? nothing : stored({ title: initial });
      const left = new Set(all.map((r) => r.job));
      for (const { job, chunk, at, title, op } of ordered) {
        const named = op === "delete" ? gone("A", at) : upsert("A", at, { title });
        const made = decide([named], () => standing, {
          ...options(),
          job: { seq: job, source: "book", governed: "all" },
          chunk,
          olderOpen: [...left].some((other) => other < job),
        });
        left.delete(job);
        const [verdict] = made.verdicts;
        const [stone] = made.tombstones;
        standing = {
          item: verdict === undefined ? standing.item : (verdict.after ?? undefined),
          tombstone: stone?.rank ?? standing.tombstone,
        };
      }
      const winner = all.reduce((best, r) =>
        compareRanks(
          { job: r.job, row: rankRow(r.chunk, r.at) },
          { job: best.job, row: rankRow(best.chunk, best.at) },
        ) > 0
          ? r
          : best,
      );
      expect(standing.item?.input.title).toBe(winner.op === "delete" ? undefined : winner.title);
    }),
    { numRuns: 500 },
  );
});

describe("ids of rows", () => {
  const id = fc.stringMatching(/^[0-9a-f]{32}$/).filter((s) => !/^0+/.test(s));
  test("come back from their packing, and their keys from either side", () => {
    fc.assert(
      fc.property(fc.array(fc.option(id, { nil: undefined })), (ids) => {
        const packed = packIds(ids);
        expect(ids.map((_, n) => unpackId(packed, n))).toEqual(ids);
        expect(ids.map((_, n) => keyAt(packed, n))).toEqual(ids.map((i) => (i === undefined ? 0 : keyOf(i))));
      }),
    );
  });

  test("are found among the named, and repeated ones are", () => {
    fc.assert(
      fc.property(fc.array(id, { maxLength: 50 }), id, (ids, other) => {
        const named = new NamedKeys(Float64Array.from(ids.map(keyOf)));
        expect(ids.every((i) => named.has(i))).toBe(true);
        expect(named.has(other)).toBe(ids.some((i) => keyOf(i) === keyOf(other)));
        const twice = ids.filter((i, n) => ids.indexOf(i) !== n).map(keyOf);
        expect(named.repeated()).toEqual(new Set(twice));
      }),
    );
  });

  test("are looked at in as many ranges as memory asks for", () => {
    expect(idRanges(1)).toEqual([{ from: "0", to: undefined }]);
    expect(idRanges(4_000_000)).toEqual([
      { from: "0", to: "4" },
      { from: "4", to: "8" },
      { from: "8", to: "c" },
      { from: "c", to: undefined },
    ]);
    expect(idRanges(50_000_000)).toHaveLength(16);
  });

  test("a rank's row says chunk and place", () => {
    expect(rowOfRank(rankRow(17, 4_999))).toEqual({ chunk: 17, at: 4_999 });
  });
});
