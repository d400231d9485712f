import { importInput } from "@proveniq/contracts";
import { chunkReader } from "@proveniq/rows";
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

describe("a page", () => {
  test("has as many rows as asked for, and fewer when they are large", () => {
    const small = chunk("A,a,\n".repeat(1_000));
    expect(nextPage(small, 1, 400, 1, 400)).toMatchObject({ from: 400, to: 800 });
    const large = chunk(
      Array.from({ length: 400 }, (_, n) => `A${n},a,${"\u0001".repeat(20_000)}\n`).join(""),
    );
    const page = nextPage(large, 1, 0, 1, 400);
    expect(page.to).toBeLessThan(200);
    expect(JSON.stringify(page).length).toBeLessThan(8 * 1024 * 1024);
  });

  test("holds each thing once: the last row decides, the others are reported", () => {
    const page = nextPage(chunk("A,first,\nB,b,\nA,second,\n"), 1, 0, 11, 400);
    expect(page.rows.map((r) => [r.at, r.externalId])).toEqual([
      [1, "B"],
      [2, "A"],
    ]);
    expect(page.counts).toMatchObject({ superseded: 1, warnings: 1 });
    expect(page.reports).toMatchObject([
      { row: 11, refused: false, notes: [{ message: expect.stringContaining("row 13") }] },
    ]);
  });

  test("tells refused rows that name a thing from those that do not", () => {
    const page = nextPage(chunk("A,,\n,b,\n,,\nC,c,x\n"), 1, 0, 1, 400);
    expect(page).toMatchObject({
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

test("slots run each thing once and so many at once", async () => {
  const slots = new Slots();
  let end: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    end = resolve;
  });
  const first = slots.run("a", () => held);
  expect(await slots.run("a", () => held)).toBe("running");
  const others = Array.from({ length: 7 }, (_, n) => slots.run(`b${n}`, () => held));
  expect(await slots.run("c", () => held)).toBe("full");
  end();
  await Promise.all([first, ...others]);
  expect(await slots.run("a", () => Promise.resolve(1))).toEqual({ done: 1 });
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
