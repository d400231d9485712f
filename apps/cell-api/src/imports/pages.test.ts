import { importInput, noCounts } from "@proveniq/contracts";
import { type Chunk, chunkReader } from "@proveniq/rows";
import { describe, expect, test } from "vitest";
import { governedBy } from "./governed.ts";
import { nextPage } from "./pages.ts";
import { presentImport } from "./present.ts";
import { Slots } from "./slots.ts";

const input = importInput.parse({
  source: "book",
  format: { type: "csv", delimiter: ",", columns: ["id", "name", "note"], header: "none" },
  mapping: {
    fields: { externalId: { column: "id" }, title: { column: "name" }, category: { constant: "art" } },
    attributes: {
      note: {
        type: "number",
        column: "note",
        number: { decimal: ".", grouping: "none" },
        keepAs: "noteText",
      },
    },
  },
});
const chunk = (text: string) => chunkReader(input)(Buffer.from(text), 1);

const page = (of: Chunk, done = 0, firstRow = 1, warnings = 0) =>
  nextPage(of, { chunk: 1, firstRow }, { done, counts: { ...noCounts, warnings } }, 400);

describe("a page", () => {
  test("has as many rows as asked for, and fewer when they are large", () => {
    const small = chunk("A,a,\n".repeat(1_000));
    expect(page(small, 400)).toMatchObject({ from: 400, to: 800 });
    const large = chunk(
      Array.from({ length: 400 }, (_, n) => `A${n},a,${"\u0001".repeat(20_000)}\n`).join(""),
    );
    const found = page(large);
    expect(found.to).toBeLessThan(200);
    expect(JSON.stringify(found).length).toBeLessThan(8 * 1024 * 1024);
  });

  test("holds each thing once: the last row decides, the others are reported", () => {
    const found = page(chunk("A,first,\nB,b,\nA,second,\n"), 0, 11);
    expect(found.rows.map((r) => [r.at, r.externalId])).toEqual([
      [1, "B"],
      [2, "A"],
    ]);
    expect(found.counts).toMatchObject({ superseded: 1, warnings: 1 });
    expect(found.reports).toMatchObject([
      { row: 11, refused: false, notes: [{ message: expect.stringContaining("row 13") }] },
    ]);
  });

  test("tells refused rows that name a thing from those that do not", () => {
    const found = page(chunk("A,,\n,b,\n,,\nC,c,x\n"), 0, 1);
    expect(found).toMatchObject({
      named: [{ at: 0, externalId: "A" }],
      nameless: 1,
      counts: { failed: 2, blank: 1, warnings: 1 },
      rows: [{ externalId: "C" }],
    });
  });
});

test("a mapping governs its fields, its attributes and where it keeps what it cannot read", () => {
  expect(governedBy(input.mapping)).toEqual({
    fields: ["externalId", "title", "category"],
    attributes: ["note", "noteText"],
  });
  expect(governedBy(undefined)).toBe("all");
});

test("remarks are all counted, and listed as far as anybody would read", () => {
  const odd = chunk("A,a,x\n".repeat(60).replace(/A/g, () => `A${Math.random()}`));
  expect(page(odd).reports).toHaveLength(50);
  expect(page(odd).counts.warnings).toBe(60);
  expect(page(odd, 0, 1, 45).reports).toHaveLength(5);
});

test("slots run each thing once, so many at once, and leave room for tenants that have none", async () => {
  const slots = new Slots();
  let end: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  const take = (tenant: string, count: number) =>
    Array.from({ length: count }, (_, n) => slots.run(tenant, `${n}`, () => held));
  const first = take("a", 4);
  expect(await slots.run("a", "0", () => held)).toBe("running");
  const second = take("b", 1);
  // No longer alone.
  expect(await slots.run("a", "4", () => held)).toBe("full");
  const third = ["1", "2", "3"].map((key) => slots.run("b", key, () => held));
  const newcomers = ["c", "d", "e", "f"].flatMap((tenant) => take(tenant, 1));
  expect(await slots.run("c", "1", () => held)).toBe("full");
  expect(await slots.run("g", "0", () => held)).toBe("full");
  end();
  await Promise.all([...first, ...second, ...third, ...newcomers]);
  expect(await slots.run("a", "0", () => Promise.resolve(1))).toEqual({ done: 1 });
});

test("slots are all there for a tenant that is alone, but for those that newcomers begin in", async () => {
  const slots = new Slots();
  let end: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  const under = Array.from({ length: 8 }, (_, n) => slots.run("a", `${n}`, () => held));
  expect(await slots.run("a", "8", () => held)).toBe("full");
  under.push(slots.run("b", "0", () => held));
  end();
  expect(await Promise.all(under)).toHaveLength(9);
});

test("an import tells its rate, what is left, and a summary in words", () => {
  const counts = {
    rows: 3_000_000,
    created: 0,
    changed: 700,
    unchanged: 2_999_100,
    deleted: 0,
    absent: 0,
    superseded: 0,
    valid: 0,
    blank: 0,
    failed: 200,
    warnings: 0,
  };
  const base = { id: "i".repeat(20), seq: 1, createdAt: new Date(0), updatedAt: new Date(0), warnings: [] };
  const full = { ...input, scope: "full" as const, expectedRows: 3_030_000 };
  const progress = { chunks: [], counts, ramp: { startedAt: new Date(0), lastAt: new Date(0) } };
  const open = presentImport(
    { ...base, input: full, state: "open" },
    progress,
    { writesPerSecond: 8_000 },
    0,
  );
  expect(open.pace).toEqual({ rowsPerSecond: 0, writesPerSecondAllowed: 500, secondsLeft: 60 });
  const done = presentImport(
    { ...base, input: full, state: "completed", finish: { deleted: 200, duplicates: 0 } },
    progress,
    { writesPerSecond: null },
    0,
  );
  expect(done.summary).toBe("700 changed, 2,999,100 unchanged, 200 gone, 200 refused.");
});
