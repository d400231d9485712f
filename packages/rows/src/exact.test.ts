import { importInput } from "@proveniq/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ChunkRow, chunkReader } from "./chunk.ts";
import { exactJsonNumber, numberReader, toNumber } from "./numbers.ts";

/**
 * Whether Python's `json` and `decimal` read the same digits from a token as were written, that is whether
 * `Decimal(repr(float(t))) == Decimal(t)` or, of at most 17 digits, `Decimal("%.17g" % float(t)) == Decimal(t)`; whole numbers up to
 * 2^53 - 1. Recorded with Python 3.11.
 */
const python: readonly (readonly [string, boolean])[] = [
  ["9007199254740991", true],
  ["9007199254740992", false],
  ["9007199254740993", false],
  ["50000000014435121", false],
  ["50000000014435122", false],
  ["-9007199254740993", false],
  ["100000000000000000000", false],
  ["1e20", false],
  ["1e15", true],
  ["1e21", false],
  ["1.5e3", true],
  ["0.1", true],
  ["0.10", true],
  ["0.1000000000000000055", false],
  ["0.1000000000000000055511151231257827", false],
  ["0.28999999999999998", true],
  ["0.29", true],
  ["0.12345678901234567", false],
  ["12345678.12345678", true],
  ["1234567890.123456789", false],
  ["1e-7", true],
  ["5e-324", true],
  ["3e-324", false],
  ["1e-400", false],
  ["1e400", false],
  ["1.7976931348623157e308", false],
  ["0.0000000000000000000001", true],
  ["123456789012345.6", true],
  ["1234567890123456.7", false],
  ["0.30000000000000004", true],
  ["-0", true],
  ["0e999999", true],
  ["2.5e-5", true],
  ["4503599627370497.5", false],
  ["4503599627370496.25", false],
  ["622901.6948897019", true],
  ["358535.5117558953", true],
  ["942450.2837770503", true],
  ["652.031696754135", true],
  ["2.9005228283614737", true],
  ["0.007759585674357169", true],
  ["648974553.1369241", true],
  ["0.15685132230226662", true],
  ["0.004690690477821637", true],
  ["3.807579170447652e-05", true],
  ["5.739411879281008e-06", true],
  ["7.311837167794241", true],
  ["4579.862132511034525", false],
  ["6380.857851683394142", false],
  ["1178.695720873444074", false],
  ["7288.148889880452198", false],
  ["29.981116440484025", false],
  ["87.870985907498747", false],
  ["3530.982242553074009", false],
  ["2727.353137748600669", false],
  ["3258.986423159852182", false],
  ["3355.777595103958580", false],
  ["3225.431471958180146", false],
  ["4895.406660481130524", false],
];

describe("digits", () => {
  test.each(python)("of the JSON number %s are exact: %s", (token, exact) => {
    const value = exactJsonNumber(token);
    expect(value).toBe(exact ? Number(token) : undefined);
  });

  const decimal = numberReader({ decimal: ".", grouping: "none", negative: "leading", strip: [] });
  test.each(python.filter(([token]) => !/e/.test(token)))("of the text %s too: %s", (token, exact) => {
    const read = decimal(token);
    expect(read !== undefined && toNumber(read) !== undefined).toBe(exact);
  });

  test("of any number that a program writes come back", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => {
        const token = JSON.stringify(n);
        const whole = Number.isInteger(n) && !Number.isSafeInteger(n);
        expect(exactJsonNumber(token)).toBe(whole ? undefined : Number(token));
      }),
    );
  });

  test("are never changed on the way to a number", () => {
    const digits = fc.stringMatching(/^[1-9]\d{0,19}$/);
    fc.assert(
      fc.property(digits, fc.nat({ max: 20 }), (all, at) => {
        const text =
          at === 0 || at >= all.length
            ? all
            : `${all.slice(0, all.length - at)}.${all.slice(all.length - at)}`;
        const read = decimal(text);
        const value = read === undefined ? undefined : toNumber(read);
        if (value === undefined && all.length <= 15) throw new Error("fifteen digits are always held");
        if (value === undefined) return;
        const plain = (s: string) => (s.includes(".") ? s.replace(/\.?0+$/, "") : s);
        const written = [String(value), value.toPrecision(17)].map(plain);
        expect(written).toContain(plain(text.replace(/^\./, "0.")));
      }),
    );
  });
});

function read(input: unknown, text: string): ChunkRow[] {
  const chunk = chunkReader(importInput.parse(input))(Buffer.from(text), 1);
  return chunk.read(0, chunk.rows, 1);
}
const number = { decimal: ",", grouping: "." };
const mapping = {
  fields: {
    externalId: { column: "id" },
    title: { constant: "Ring" },
    category: { constant: "jewellery" },
    insuredValue: { column: "value", unit: "major", number, currency: { constant: "EUR" } },
  },
  attributes: { weight: { type: "number", column: "weight", number } },
};

describe("NDJSON", () => {
  const mapped = (line: string) =>
    read({ source: "b", format: { type: "ndjson" }, mapping }, line)[0]?.mapped;
  const direct = (line: string) => read({ source: "b", format: { type: "ndjson" } }, line)[0]?.mapped;

  test("ids that are numbers keep every digit", () => {
    const ids = ["50000000014435121", "50000000014435122"].map((id) => mapped(`{"id": ${id}}`));
    expect(ids).toMatchObject([
      { op: "upsert", input: { externalId: "50000000014435121" } },
      { op: "upsert", input: { externalId: "50000000014435122" } },
    ]);
  });

  test.each(["9007199254740993", "0.1000000000000000055", "1e400", "1e-400", "123456789.123456789"])(
    "%s as an attribute is refused, with a mapping and without",
    (token) => {
      expect(mapped(`{"id": 1, "weight": ${token}}`)).toMatchObject({
        op: "refused",
        notes: [{ code: "not-a-number", field: "/attributes/weight" }],
      });
      const line = `{"externalId":"A","title":"x","category":"art","attributes":{"n":${token}}}`;
      expect(direct(line)).toMatchObject({ op: "refused", notes: [{ code: "not-valid" }] });
    },
  );

  test("amounts are exact or refused", () => {
    expect(mapped('{"id": 1, "value": 1234567890123.45}')).toMatchObject({
      input: { insuredValue: { amountMinor: 123_456_789_012_345 } },
    });
    expect(mapped('{"id": 1, "value": 90071992547409.93}')).toMatchObject({ op: "refused" });
    expect(mapped('{"id": 1, "value": 0.1000000000000000055}')).toMatchObject({ op: "refused" });
  });

  test("digits within texts are nobody's business", () => {
    const line = '{"externalId":"50000000014435121","title":"1e400 , x","category":"art"}';
    expect(direct(line)).toMatchObject({ op: "upsert", input: { externalId: "50000000014435121" } });
  });

  test.each(['{"externalId":"A ","title":"x","category":"art"}', '{"externalId":" A","op":"delete"}'])(
    "an id that no thing can have names none: %s",
    (line) => {
      const row = direct(line);
      expect(row?.op).toBe("refused");
      expect(row).not.toHaveProperty("externalId");
    },
  );

  test("a refused row still names its thing when the id is one", () => {
    expect(direct('{"externalId":"A","title":"","category":"art"}')).toMatchObject({
      op: "refused",
      externalId: "A",
    });
  });

  test("a line of blanks is blank", () => {
    expect(read({ source: "b", format: { type: "ndjson" } }, " \t \n\u00a0\n").map((r) => r.mapped)).toEqual([
      { op: "blank" },
      { op: "blank" },
    ]);
  });

  test("a line of forty thousand attributes has one fault, soon", () => {
    const attributes = Array.from({ length: 20_000 }, (_, n) => `"k${n}":[]`).join(",");
    const row = direct(`{"externalId":"A","title":"x","category":"art","attributes":{${attributes}}}`);
    expect(row).toMatchObject({ notes: [{ field: "/attributes" }] });
    const keys = Array.from({ length: 20_000 }, (_, n) => `"k${n}":1`).join(",");
    const unknown = direct(`{"externalId":"A",${keys}}`);
    expect(JSON.stringify(unknown).length).toBeLessThan(2_000);
  });
});

describe("an amount with its currency", () => {
  const values = {
    $: "USD",
    R$: "BRL",
    R: "ZAR",
    "€": "EUR",
    CHF: "CHF",
    CAD: "CAD",
    USD: "USD",
    EUR: "EUR",
  };
  const money = (cell: string, more: object = {}, signs: Record<string, string> = values): string => {
    const input = {
      source: "b",
      format: { type: "csv", delimiter: ";", columns: ["v"], header: "none" },
      mapping: {
        fields: {
          externalId: { constant: "A" },
          title: { constant: "x" },
          category: { constant: "art" },
          insuredValue: {
            column: "v",
            unit: "major",
            number: { decimal: ".", grouping: ",", ...more },
            currency: { inAmount: true, values: signs },
          },
        },
      },
    };
    const mapped = read(input, `${cell}\n`)[0]?.mapped;
    if (mapped?.op !== "upsert") return mapped?.op === "refused" ? (mapped.notes[0]?.message ?? "") : "blank";
    const { amountMinor, currency } = mapped.input.insuredValue ?? {};
    return `${currency} ${amountMinor}`;
  };

  test.each([
    ["R$ 100", "BRL 10000"],
    ["100 R$", "BRL 10000"],
    ["R 100", "ZAR 10000"],
    ["$1,200", "USD 120000"],
    ["$1,200 USD", "USD 120000"],
    ["USD 1,200.50", "USD 120050"],
    ["1,200 €", "EUR 120000"],
    ["€\u00a01,200", "EUR 120000"],
    ["+$5", "USD 500"],
    ["$1,200 CAD", "Names several currencies: CAD and USD."],
    ["€ 100 $", "Names several currencies: USD and EUR."],
    ["R$$100", "Names several currencies: BRL and USD."],
    ["US$ 100", "Is not an amount written like 1,234.5."],
    ["$1,200 AUD", "Is not an amount written like 1,234.5."],
    ["100", "Has no known currency (ISO 4217)."],
    ["-$5", "Must not be negative."],
    ["$-5", "Must not be negative."],
    ["$0.305", "Has more decimals than USD (2)."],
    ["$0,305", "Is not an amount written like 1,234.5."],
  ])("%s is %s", (cell, found) => {
    expect(money(cell)).toBe(found);
  });

  test("does not depend on the order in which signs are listed", () => {
    const backwards = Object.fromEntries(Object.entries(values).reverse());
    for (const cell of ["R$ 100", "100 R$", "R 100", "$1,200 CAD", "€ 100 $"]) {
      expect(money(cell, {}, backwards).replace(/: .*/, "")).toBe(money(cell).replace(/: .*/, ""));
    }
  });

  test("may be negative in parentheses, and is refused", () => {
    for (const cell of ["($5)", "$(5)"]) {
      expect(money(cell, { negative: "parentheses" })).toBe("Must not be negative.");
    }
  });
});
