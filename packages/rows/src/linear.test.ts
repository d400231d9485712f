import { type CsvFormat, importInput, importLimits } from "@proveniq/contracts";
import { describe, expect, test } from "vitest";
import { csvSpans } from "./cells.ts";
import { chunkReader } from "./chunk.ts";
import { dateReader } from "./dates.ts";
import { neutralised, restored } from "./formulas.ts";
import { bandReader } from "./keys.ts";
import { jsonSpans } from "./ndjson.ts";
import { numberReader, toMinor, toNumber } from "./numbers.ts";
import { csvReportLine } from "./report.ts";

/**
 * How long one cell of a megabyte may take, in milliseconds, on a machine whose cores do several things at once: alone none takes 50, and
 * a pattern that tries again from every place would take a minute.
 */
const most = 250;

/** Processor time of some work, in milliseconds: what others do on this machine counts little. Tried again when it was long. */
function cpuMs(work: () => unknown): number {
  const once = () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  let best = once();
  for (let n = 0; n < 2 && best >= most; n++) best = Math.min(best, once());
  return best;
}

const megabyte = 1024 * 1024;
const fill = (unit: string, size = megabyte) => unit.repeat(Math.ceil(size / unit.length)).slice(0, size);

/** Texts that patterns with a repetition too many try again from every place. */
const units: Record<string, string> = {
  blanks: " ",
  "no-break spaces": "\u00a0",
  zeros: "0",
  nines: "9",
  "line ends": "\n",
  "carriage returns": "\r",
  "blanks and line ends": " \r\n",
  hyphens: "-",
  apostrophes: "'",
  points: ".",
  groups: ".000",
  quotes: '"',
  braces: "{}",
  "combining marks out of order": "\u0315\u0300\u05ae\u0300",
  "a letter that is eighteen": "\ufdfa",
  "halves of characters": "\ud83c",
  "capital sharp s": "\u1e9e",
};
const evil = Object.entries(units).flatMap(([name, unit]) => [
  { name, text: fill(unit) },
  { name: `x ${name} x`, text: `x${fill(unit)}x` },
  { name: `1 ${name} 1`, text: `1${fill(unit)}1` },
]);

describe("a megabyte in one cell takes no longer than it is long", () => {
  const german = numberReader({ decimal: ",", grouping: ".", negative: "parentheses", strip: ["mm", "€"] }, [
    "$",
  ]);
  const plain = numberReader({ decimal: ".", grouping: "none", negative: "leading", strip: [] });
  const day = dateReader({ formats: ["d. MMM yyyy HH:mm", "excel-1900", "unix-s", "yyyy-MM-dd"] });
  const band = bandReader({ width: 0.2, decimals: 2 });

  test.each(evil)("$name", ({ text }) => {
    const number = () => {
      const decimal = german(text) ?? plain(text);
      return decimal && [toNumber(decimal), toMinor(decimal, 2, "round")];
    };
    expect(cpuMs(number)).toBeLessThan(most);
    expect(cpuMs(() => day(text))).toBeLessThan(most);
    expect(cpuMs(() => band(text))).toBeLessThan(most);
    expect(cpuMs(() => restored(neutralised(text)))).toBeLessThan(most);
    const row = { row: 1, chunk: 1, refused: true, notes: [], cells: [text.slice(0, importLimits.rowBytes)] };
    const format: CsvFormat = { type: "csv", delimiter: ",", columns: ["a"], header: "none" };
    expect(cpuMs(() => csvReportLine(row, format))).toBeLessThan(most);
  });
});

/** A mapping that does to one column all that can be done to one, and as often as a mapping may. */
const number = { decimal: ".", grouping: ",", negative: "leading", strip: ["mm", "%"] };
const column = "c";
const all = "{c}".repeat(150);
const mapping = {
  nullTokens: ["-", "N/A"],
  fields: {
    externalId: { firstOf: [{ template: all }, { column }], lines: "join" },
    title: { template: all, lines: "join", tooLong: "cut" },
    description: { column, lines: "join", tooLong: "cut" },
    category: { column, values: { x: "art" }, ignoreCase: true, unlisted: "other" },
    condition: { template: all, values: { x: "good" }, ignoreCase: true, unlisted: "good" },
    marketKey: { template: all, slug: true },
    insuredValue: {
      column,
      unit: "major",
      number,
      currency: { inAmount: true, values: { $: "USD", R$: "BRL" } },
      keepAs: "value",
    },
    purchasePrice: {
      column,
      unit: "minor",
      number,
      currency: { column, values: { $: "USD" } },
      keepAs: "price",
    },
    acquiredOn: {
      column,
      formats: ["d. MMM yyyy HH:mm", "excel-1900", "unix-ms", "dd/MM/yyyy"],
      keepAs: "bought",
    },
    serialNumber: { column, lines: "join", tooLong: "cut" },
    location: { column, lines: "keep", tooLong: "cut" },
  },
  attributes: Object.fromEntries(
    Array.from({ length: 47 }, (_, n) => [
      `a${n}`,
      n % 3 === 0
        ? { type: "text", template: all, lines: "join", tooLong: "cut" }
        : n % 3 === 1
          ? { type: "text", column, lines: "join", tooLong: "cut" }
          : { type: "number", column, number, keepAs: `k${n}` },
    ]),
  ),
};

describe("a row as large as one may be, with a mapping that reads its one cell sixty times", () => {
  const size = importLimits.rowBytes - 1_000;
  const csv = importInput.parse({
    source: "b",
    format: { type: "csv", delimiter: ",", columns: [column], header: "none" },
    mapping,
  });
  const json = importInput.parse({ source: "b", format: { type: "ndjson" }, mapping });
  const direct = importInput.parse({ source: "b", format: { type: "ndjson" } });
  const rows: [string, string][] = Object.entries(units).map(([name, unit]) => [
    name,
    `x${fill(unit, Math.floor(size / 2 / Buffer.byteLength(JSON.stringify(unit).slice(1, -1))) * unit.length)}x`,
  ]);

  test.each(rows)("%s", (_name, cell) => {
    const quoted = Buffer.from(`"${cell.replaceAll('"', '""')}"\n`);
    const line = Buffer.from(`${JSON.stringify({ c: cell })}\n`);
    const item = Buffer.from(
      `${JSON.stringify({ externalId: cell, title: cell, category: "art", location: cell.slice(0, 9), attributes: { a: cell.slice(0, 501) } }).slice(0, size)}\n`,
    );
    for (const [input, bytes] of [
      [csv, quoted],
      [json, line],
      [direct, item],
    ] as const) {
      const chunk = chunkReader(input)(bytes, 1);
      expect(chunk.rows).toBeGreaterThan(0);
      expect(cpuMs(() => chunk.read(0, 1, 1))).toBeLessThan(most);
    }
  });

  test("keys, numbers and lists without end", () => {
    const nested = (open: string, close: string) => fill(open, size / 2 - 1) + fill(close, size / 2 - 1);
    const long = (entry: (n: number) => string) => {
      const entries: string[] = [];
      for (let length = 0; length < size - 100; length += (entries.at(-1)?.length ?? 0) + 1)
        entries.push(entry(entries.length));
      return entries.join(",");
    };
    const lines = [
      `{${long((n) => `"k${n}":1`)}}`,
      `{"attributes":{${long((n) => `"k${n}":1`)}}}`,
      `{"attributes":{${long((n) => `"k ${n}":[]`)}}}`,
      `{"insuredValue":{${long((n) => `"k${n}":1`)}}}`,
      `{"c":${fill("9", size)}}`,
      `{"c":0.${fill("0", size)}1}`,
      `{"c":1${fill("0", size)}e-${size}}`,
      `{"c":[${long(() => "1234567890123456789")}]}`,
      `{"c":${nested("[", "]")}}`,
      `{"c":9007199254740993,"d":${nested("[", "]")}}`,
      `{"c":"${fill("1e1", size)}"}`,
      `{"c":"${fill("1e11 ", size)}"}`,
    ];
    for (const line of lines) {
      for (const input of [json, direct]) {
        const chunk = chunkReader(input)(Buffer.from(`${line}\n`), 1);
        expect([line.slice(0, 30), cpuMs(() => chunk.read(0, 1, 1)) < most]).toEqual([
          line.slice(0, 30),
          true,
        ]);
      }
    }
  });
});

test("records are found in a time that their bytes decide, whatever stands where", () => {
  const pieces = ['"', ",", "\n", "a", " "];
  const slow: string[] = [];
  const options = { delimiter: ",", columns: 3, lineEnd: "lf" as const };
  const patterns = [""];
  for (let n = 0; n < 3; n++)
    patterns.push(...patterns.filter((p) => p.length === n).flatMap((p) => pieces.map((c) => p + c)));
  for (const pattern of patterns.slice(1)) {
    const bytes = Buffer.from(fill(pattern, 100_000));
    for (const text of [bytes, Buffer.concat([Buffer.from('"'), bytes])]) {
      const ms = cpuMs(() => csvSpans(text, options, 0, 5_002));
      if (ms > most) slow.push(`${JSON.stringify(pattern)}: ${Math.round(ms)} ms`);
    }
  }
  expect(slow).toEqual([]);
  for (const unit of ["\n", "\r\n", "\r", " \n"]) {
    const bytes = Buffer.from(fill(unit, unit === " \n" ? 10_000 : 8 * megabyte));
    expect(cpuMs(() => jsonSpans(bytes, 0, 5_002))).toBeLessThan(most);
    expect(cpuMs(() => csvSpans(bytes, options, 0, 5_002))).toBeLessThan(most);
    expect(cpuMs(() => csvSpans(bytes, { ...options, lineEnd: "cr" }, 0, 5_002))).toBeLessThan(most);
  }
});
