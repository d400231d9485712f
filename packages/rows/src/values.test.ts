import { dateTokens, type NumberForm, parseDateFormat } from "@proveniq/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dateReader } from "./dates.ts";
import { neutralised, restored } from "./formulas.ts";
import { bandReader, slugOf } from "./keys.ts";
import { numberReader, toMinor, toNumber } from "./numbers.ts";
import { firstBadByte } from "./utf8.ts";

const form = (f: Partial<NumberForm>): NumberForm => ({
  decimal: ".",
  grouping: "none",
  negative: "leading",
  strip: [],
  ...f,
});
const english = form({ grouping: "," });
const german = form({ decimal: ",", grouping: "." });

describe("a number", () => {
  const read: [string, NumberForm, number | undefined][] = [
    ["1234.5", form({}), 1234.5],
    ["1,234.5", english, 1234.5],
    ["1,234,567", english, 1234567],
    ["1,23", english, undefined],
    ["12,34,567", english, undefined],
    ["1.234,50", german, 1234.5],
    ["1.234", german, 1234],
    ["1.234", form({ decimal: ",", grouping: "none" }), undefined],
    ["1 234,5", form({ decimal: ",", grouping: " " }), 1234.5],
    ["1\u202f234,5", form({ decimal: ",", grouping: " " }), 1234.5],
    ["1\u00a0234\u202f567,5", form({ decimal: ",", grouping: " " }), 1234567.5],
    ["1'234.50", form({ grouping: "'" }), 1234.5],
    ["1’234’567.50", form({ grouping: "'" }), 1234567.5],
    ["1’234", form({ grouping: "," }), undefined],
    // A group never begins with 0.
    ["0.305", german, undefined],
    ["0,305", english, undefined],
    ["00.305", german, undefined],
    ["0.305.000", german, undefined],
    ["-0.305", german, undefined],
    ["0 305", form({ decimal: ",", grouping: " " }), undefined],
    ["0'305", form({ grouping: "'" }), undefined],
    ["0.305", english, 0.305],
    ["0,305", german, 0.305],
    ["10.305", german, 10305],
    ["007", form({}), 7],
    ["1234.000", german, undefined],
    [".5", form({}), 0.5],
    ["5.", form({}), undefined],
    ["-5", form({}), -5],
    ["\u22125", form({}), -5],
    ["5-", form({ negative: "trailing" }), -5],
    ["(5.10)", form({ negative: "parentheses" }), -5.1],
    ["-5", form({ negative: "parentheses" }), undefined],
    ["650 mm", form({ strip: ["mm"] }), 650],
    ["$ 12", form({ strip: ["$"] }), 12],
    ["-$12", form({ strip: ["$"] }), -12],
    ["1.2E+05", form({}), undefined],
    ["", form({}), undefined],
    [".", form({}), undefined],
    ["0x10", form({}), undefined],
    ["Infinity", form({}), undefined],
    ["٣", form({}), undefined],
    ["12345678901234567890", form({}), undefined],
  ];
  test.each(read)("%j", (text, f, value) => {
    const decimal = numberReader(f)(text);
    expect(decimal === undefined ? undefined : toNumber(decimal)).toBe(value);
  });

  test("becomes minor units without a binary fraction in between", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
        fc.constantFrom(0, 2, 3),
        (minor, digits) => {
          const text = String(minor).padStart(digits + 1, "0");
          const major = digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`;
          const decimal = numberReader(form({}))(major);
          expect(decimal && toMinor(decimal, digits, "refuse")).toBe(minor);
        },
      ),
    );
  });

  const cents = (text: string, extra: "refuse" | "round") => {
    const decimal = numberReader(form({}))(text);
    return decimal && toMinor(decimal, 2, extra);
  };
  test("with more decimals than the currency is refused or rounded half away from zero", () => {
    expect([cents("1.005", "refuse"), cents("1.005", "round"), cents("-1.005", "round")]).toEqual([
      "decimals",
      101,
      -101,
    ]);
    expect([cents("1.500", "refuse"), cents("1.0049", "round"), cents("0.999", "round")]).toEqual([
      150, 100, 100,
    ]);
    expect(cents("99999999999999999", "refuse")).toBe("range");
  });
});

describe("a day", () => {
  const read: [string, string, string | undefined, Partial<Parameters<typeof dateReader>[0]>?][] = [
    ["2024-05-17", "yyyy-MM-dd", "2024-05-17"],
    ["17.05.2024", "dd.MM.yyyy", "2024-05-17"],
    ["7.5.2024", "d.M.yyyy", "2024-05-07"],
    ["07.5.24", "d.M.yy", "2024-05-07", { pivotYear: 30 }],
    ["07.5.31", "d.M.yy", "1931-05-07", { pivotYear: 30 }],
    ["31.02.2024", "dd.MM.yyyy", undefined],
    ["2024-13-01", "yyyy-MM-dd", undefined],
    ["17 May 2024", "d MMM yyyy", "2024-05-17"],
    ["17 september 2024", "d MMM yyyy", "2024-09-17"],
    [
      "17. Mai 2024",
      "d. MMM yyyy",
      "2024-05-17",
      { months: ["Jän", "Feb", "März", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"] },
    ],
    ["2024-05-17T23:59:59Z", "yyyy-MM-dd'T'HH:mm:ssZ", "2024-05-17"],
    ["2024-05-17 23:59", "yyyy-MM-dd HH:mm", "2024-05-17"],
    ["20240517", "yyyyMMdd", "2024-05-17"],
    ["45429", "excel-1900", "2024-05-17"],
    ["61", "excel-1900", "1900-03-01"],
    ["60", "excel-1900", undefined],
    ["1715904000", "unix-s", "2024-05-17"],
    ["1715904000000", "unix-ms", "2024-05-17"],
    ["5/17/2024 1:05", "M/d/yyyy HH:mm", "2024-05-17"],
    ["5/17/2024 1:05 PM", "M/d/yyyy HH:mm", "2024-05-17"],
    ["5/17/2024 11:05:09\u202fpm", "M/d/yyyy HH:mm:ss", "2024-05-17"],
    ["17.05.2024 1:05 p.m.", "dd.MM.yyyy HH:mm", "2024-05-17"],
    ["17.05.2024 1PM", "dd.MM.yyyy HH", "2024-05-17"],
    ["5/17/2024 1:5", "M/d/yyyy HH:mm", undefined],
    ["5/17/2024 PM", "M/d/yyyy HH:mm", undefined],
    ["5/17/2024 PM", "M/d/yyyy", undefined],
    ["20240517930", "yyyyMMddHHmm", undefined],
    ["17\u00a0May 2024", "d MMM yyyy", "2024-05-17"],
    ["c.1795-6", "yyyy-MM-dd", undefined],
    ["2024-05-17x", "yyyy-MM-dd", undefined],
  ];
  test.each(read)("%j as %s", (text, format, day, more) => {
    expect(dateReader({ formats: [format], ...more })(text)).toBe(day);
  });

  test("that exists is read back in every order and separator", () => {
    const day = fc.date({ min: new Date("0001-01-01"), max: new Date("9999-12-31"), noInvalidDate: true });
    fc.assert(
      fc.property(day, fc.constantFrom("yyyy-MM-dd", "dd.MM.yyyy", "MM/dd/yyyy", "yyyyMMdd"), (d, format) => {
        const iso = d.toISOString().slice(0, 10);
        const [y = "", m = "", dd = ""] = iso.split("-");
        const text = format.replace("yyyy", y).replace("MM", m).replace("dd", dd);
        expect(dateReader({ formats: [format] })(text)).toBe(iso);
      }),
    );
  });

  test("needs a format of tokens", () => {
    expect(["yyyy-MM", "dd.MM", "YYYY-MM-dd", "yyyy-MM-dd dd"].map((f) => typeof parseDateFormat(f))).toEqual(
      Array(4).fill("string"),
    );
    expect(dateTokens.length).toBe(12);
  });
});

describe("a key", () => {
  test.each([
    ["Very Good", "very-good"],
    ["Crème Brûlée", "creme-brulee"],
    ["VVS1", "vvs1"],
    ["--", ""],
    ["画", ""],
  ])("%s", (text, slug) => {
    expect(slugOf(text)).toBe(slug);
  });
  const fifth = bandReader({ width: 0.2, decimals: 2 });
  test.each([
    ["0.23", "0.20-0.39"],
    ["0.2", "0.20-0.39"],
    ["0.6", "0.60-0.79"],
    ["0.599", "0.40-0.59"],
    ["0.599999999", "0.40-0.59"],
    ["1", "1.00-1.19"],
    ["0", "0.00-0.19"],
  ])("band of %s", (n, name) => {
    expect(fifth(n)).toEqual({ name });
  });
  test("bands below 0 have edges there", () => {
    const read = bandReader({ edges: [-10, 0, 10], decimals: 0 });
    expect([read("-0.5"), read("-10"), read("-10.5"), read("-0"), fifth("-0.001")]).toEqual([
      { name: "-10--1" },
      { name: "-10--1" },
      "outside",
      { name: "0-9" },
      "outside",
    ]);
  });
  test("bands by edges end where the edges end", () => {
    const read = bandReader({ edges: [0, 100, 1000], decimals: 0 });
    expect([read("99.9"), read("100"), read("1000"), read("-1"), read("x")]).toEqual([
      { name: "0-99" },
      { name: "100-999" },
      "outside",
      "outside",
      "number",
    ]);
  });
});

describe("a report's cell", () => {
  test.each([
    ["=1+1", "'=1+1"],
    ["@x", "'@x"],
    ["-cmd|' /C", "'-cmd|' /C"],
    ["-5", "-5"],
    ["+49 89", "+49 89"],
    ["'=1", "''=1"],
    ["ok", "ok"],
    ["\t=1", "'\t=1"],
  ])("%j", (cell, safe) => {
    expect(neutralised(cell)).toBe(safe);
  });
  test("comes back as it was", () => {
    const cell = fc.array(fc.constantFrom("'", "=", "+", "-", "@", "1", "a", ",", " "), { maxLength: 8 });
    fc.assert(
      fc.property(cell, (parts) => {
        expect(restored(neutralised(parts.join("")))).toBe(parts.join(""));
      }),
    );
  });
});

test("the first byte that is not UTF-8 is found wherever it is", () => {
  expect(firstBadByte(Buffer.from("aé画🎨"))).toBeUndefined();
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme", maxLength: 50 }),
      fc.string({ maxLength: 50 }),
      (head, tail) => {
        const good = Buffer.from(head);
        expect(firstBadByte(Buffer.concat([good, Buffer.from([0xff]), Buffer.from(tail)]))).toBe(good.length);
      },
    ),
  );
  expect(firstBadByte(Buffer.from([0x61, 0xe9, 0x20]))).toBe(1);
  expect(firstBadByte(Buffer.from([0x61, 0xe2, 0x82]))).toBe(1);
});
