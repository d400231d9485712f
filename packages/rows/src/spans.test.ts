import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvRow, csvSpans, scanOptions } from "./cells.ts";
import { lineEndOf, type ScanOptions, scanRecord } from "./spans.ts";

const format = (columns: number, delimiter: "," | ";" | "\t" | "|" = ",") => ({
  type: "csv" as const,
  delimiter,
  columns: Array.from({ length: columns }, (_, n) => `c${n}`),
  header: "none" as const,
});

function rowsOf(text: string, columns: number, delimiter: "," | ";" | "\t" | "|" = ",") {
  const bytes = Buffer.from(text);
  const options = scanOptions(format(columns, delimiter), bytes);
  return csvSpans(bytes, options, 0, 1e6).map((span) => {
    const row = csvRow(bytes, span, options);
    return "cells" in row ? row.cells : row.note.code;
  });
}

describe("records of CSV", () => {
  const cases: [string, string, number, unknown[]][] = [
    [
      "plain",
      "a,b\nc,d\n",
      2,
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "CRLF, mixed with LF, no last line end",
      "a,b\r\nc,d\ne,f",
      2,
      [
        ["a", "b"],
        ["c", "d"],
        ["e", "f"],
      ],
    ],
    [
      "old Macintosh",
      "a,b\rc,d\r",
      2,
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    ["quoted delimiter, quote and line end", '"a,""x""\r\ny",b\n', 2, [['a,"x"\r\ny', "b"]]],
    ["blanks around quotes", 'a, "b, c" ,d\n', 3, [["a", "b, c", "d"]]],
    ["a quote inside an unquoted cell", '5" disc,b\n', 2, [['5" disc', "b"]]],
    [
      "empty lines",
      "\n\na,b\n\r\n\nc,d\n\n",
      2,
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "only delimiters",
      ",\na,b\n",
      2,
      [
        ["", ""],
        ["a", "b"],
      ],
    ],
    [
      "a stray quote does not swallow the rows after it",
      '1,"abc\n2,def\n3,ghi\n',
      2,
      ["not-csv", ["2", "def"], ["3", "ghi"]],
    ],
    [
      "nor when a later quote closes it",
      '1,"abc\n2,"def"\n3,ghi\n',
      2,
      ["not-csv", ["2", "def"], ["3", "ghi"]],
    ],
    [
      "nor when it closes by chance",
      '1,"abc\n2,"\n3,ghi,x\n4,j\n',
      2,
      [["1", "abc\n2,"], "columns", ["4", "j"]],
    ],
    ["nor when the cells do not fit", '1,"abc\n2,x",y\n4,j\n', 2, ["not-csv", "columns", ["4", "j"]]],
    ["too few and too many cells", "a\nb,c\nd,e,f\n", 2, ["columns", ["b", "c"], "columns"]],
  ];
  test.each(cases)("%s", (_name, text, columns, rows) => {
    expect(rowsOf(text, columns)).toEqual(rows);
  });

  test.each([";", "\t", "|"] as const)("split by %j", (delimiter) => {
    expect(rowsOf(`a${delimiter}"b${delimiter}c"\n`, 2, delimiter)).toEqual([["a", `b${delimiter}c`]]);
  });

  test("a line without end and one of a million columns are one bad row each", () => {
    expect(rowsOf(`${"x".repeat(1_000_000)}\na,b\n`, 2)).toEqual(["too-large", ["a", "b"]]);
    expect(rowsOf(`${",".repeat(1_000_000)}\na,b\n`, 2)).toEqual(["too-large", ["a", "b"]]);
    expect(rowsOf(`${",".repeat(100_000)}\na,b\n`, 2)).toEqual(["columns", ["a", "b"]]);
    expect(rowsOf(`a,"${"x\n".repeat(2_000)}`, 2).length).toBe(2_000);
  });

  test("whatever is written by the rules is read back", () => {
    const cell = fc.string({ unit: "grapheme", maxLength: 12 }).map((s) => s.replace(/\s/gu, "_"));
    const weird = fc.constantFrom('"', ",", "\n", "\r\n", '""', "a,b", 'x"y', "'", "=1");
    const row = fc.array(fc.oneof(cell, weird), { minLength: 3, maxLength: 3 });
    const written = (s: string) => (/[",\r\n]/u.test(s) ? `"${s.replaceAll('"', '""')}"` : s);
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 1, maxLength: 20 }),
        fc.constantFrom("\n", "\r\n"),
        (rows, eol) => {
          fc.pre(rows.every((r) => r.join("").trim() !== ""));
          const text = rows.map((r) => r.map(written).join(",")).join(eol) + eol;
          expect(rowsOf(text, 3)).toEqual(rows.map((r) => r));
        },
      ),
    );
  });

  test("are those that csv-parse finds, wherever it finds any", () => {
    const piece = fc.constantFrom(
      '"',
      '"',
      ";",
      ";",
      "\n",
      "\r\n",
      "a",
      "b c",
      '""',
      " ",
      "\t",
      "é",
      "🎨",
      "x,y",
    );
    const text = fc.array(piece, { maxLength: 30 }).map((parts) => parts.join(""));
    let compared = 0;
    fc.assert(
      fc.property(text, (t) => {
        let theirs: string[][];
        try {
          theirs = parse(t, {
            delimiter: ";",
            record_delimiter: ["\r\n", "\n"],
            relax_quotes: true,
            relax_column_count: true,
            skip_empty_lines: true,
            trim: true,
          });
        } catch {
          return;
        }
        const bytes = Buffer.from(t);
        const options: ScanOptions = { delimiter: ";", columns: undefined, lineEnd: "lf" };
        const ours = csvSpans(bytes, options, 0, 1e6).map((span) => csvRow(bytes, span, options));
        // What one of us gives up the other may still believe; and it takes lines of blanks for no rows.
        if (ours.some((row) => !("cells" in row))) return;
        const cells = ours.flatMap((row) => ("cells" in row ? [row.cells] : []));
        compared++;
        expect(cells.filter((row) => row.length > 1 || row[0] !== "")).toEqual(
          theirs.filter((row) => row.length > 1 || row[0] !== ""),
        );
      }),
      { numRuns: 2_000 },
    );
    expect(compared).toBeGreaterThan(500);
  });

  test.each(["diamonds.csv", "tate-artworks-sample.csv"])("of %s are those that csv-parse finds", (name) => {
    const bytes = readFileSync(new URL(`../../../examples/data/${name}`, import.meta.url));
    const options: ScanOptions = { delimiter: ",", columns: undefined, lineEnd: "lf" };
    const ours = csvSpans(bytes, options, 0, 1e6).map((span) => csvRow(bytes, span, options));
    const theirs: string[][] = parse(bytes, { trim: true, relax_quotes: true });
    const differing = ours.filter((row, n) => JSON.stringify(row) !== JSON.stringify({ cells: theirs[n] }));
    expect([ours.length, differing]).toEqual([theirs.length, []]);
  });

  test("are the same however a file is cut between records, whatever is in it", () => {
    const piece = fc.constantFrom('"', '"', ",", "\n", "\r\n", "a", "b c", '""', " ", "é");
    const text = fc.array(piece, { maxLength: 60 }).map((p) => p.join(""));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 5 }), (t, per) => {
        const bytes = Buffer.from(`x\n${t}`);
        const options: ScanOptions = { delimiter: ",", columns: 2, lineEnd: "lf" };
        const whole = csvSpans(bytes, options, 0, 1e6);
        const pieces: number[] = [];
        for (let n = 0; n < whole.length; n += per) {
          const part = bytes.subarray(whole[n]?.start, whole[Math.min(n + per, whole.length) - 1]?.next);
          pieces.push(csvSpans(part, options, 0, 1e6).length);
        }
        expect(pieces.reduce((a, b) => a + b, 0)).toBe(whole.length);
      }),
      { numRuns: 500 },
    );
  });

  test("are awaited while more may come", () => {
    const options: ScanOptions = { delimiter: ",", columns: 2, lineEnd: "lf" };
    for (const text of ["a,b", 'a,"b', 'a,"b"', 'a,"b" ', 'a,"b""']) {
      expect(scanRecord(Buffer.from(text), 0, options, false)).toBeUndefined();
      expect(scanRecord(Buffer.from(text), 0, options, true)).toBeDefined();
    }
  });

  test("lineEndOf tells old Macintosh files", () => {
    expect(["a\rb", "a\r\nb", "a\nb", "ab"].map((t) => lineEndOf(Buffer.from(t)))).toEqual([
      "cr",
      "lf",
      "lf",
      "lf",
    ]);
  });
});
