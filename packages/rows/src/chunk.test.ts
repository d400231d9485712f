import { readFileSync } from "node:fs";
import {
  type ItemInput,
  importInput,
  importWarnings,
  ProblemError,
  type RowReport,
} from "@proveniq/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ChunkRow, chunkReader } from "./chunk.ts";
import { csvReportHeader, csvReportLine } from "./report.ts";

const plain = { decimal: ".", grouping: "none" };
const fields = {
  externalId: { column: "id" },
  title: { column: "name", tooLong: "cut" },
  category: { column: "kind", values: { ring: "jewellery", "on paper, print": "art" }, ignoreCase: true },
  condition: { column: "state" },
  insuredValue: {
    column: "value",
    unit: "major",
    number: { decimal: ",", grouping: "." },
    currency: { column: "cur", values: { "€": "EUR" } },
  },
  acquiredOn: { column: "bought", formats: ["dd.MM.yyyy", "yyyy-MM-dd"], keepAs: "boughtAsWritten" },
};
const attributes = {
  carat: { type: "number", column: "carat", number: plain },
  certified: { type: "boolean", column: "cert", true: ["y", "Y"], false: ["n"] },
};
const columns = ["id", "name", "kind", "state", "value", "cur", "bought", "carat", "cert", "what"];
const csv = (more: object = {}) => ({
  source: "book",
  format: { type: "csv", delimiter: ";", columns, header: "none" },
  mapping: { nullTokens: ["N/A"], fields, attributes, op: { column: "what", delete: ["D"] }, ...more },
});

function read(input: unknown, text: string | Buffer, n = 1): ChunkRow[] {
  const chunk = chunkReader(importInput.parse(input))(Buffer.from(text), n);
  return chunk.read(0, chunk.rows, 1);
}
const faults = (row: ChunkRow | undefined) =>
  row !== undefined && "notes" in row.mapped
    ? row.mapped.notes.map((n) => `${n.level} ${n.code} ${n.field ?? "-"}`)
    : [];

describe("a row of CSV", () => {
  test("becomes an item", () => {
    const [row] = read(csv(), "A-1;Ring;RING;good;1.200,50;€;17.05.2024;0.23;y;\n");
    expect(row?.mapped).toEqual({
      op: "upsert",
      input: {
        externalId: "A-1",
        title: "Ring",
        category: "jewellery",
        condition: "good",
        insuredValue: { amountMinor: 120050, currency: "EUR" },
        acquiredOn: "2024-05-17",
        attributes: { carat: 0.23, certified: true },
      },
      notes: [],
    });
  });

  test("without a value leaves the field out", () => {
    const [row] = read(csv(), "A-1;Ring;ring;N/A;;;;;;\n");
    expect(row?.mapped).toEqual({
      op: "upsert",
      input: { externalId: "A-1", title: "Ring", category: "jewellery" },
      notes: [],
    });
  });

  test("may say that the thing is gone, and needs only its id then", () => {
    expect(read(csv(), "A-1;;;;;;;;;D\n")[0]?.mapped).toEqual({ op: "delete", externalId: "A-1", notes: [] });
    expect(faults(read(csv(), ";;;;;;;;;D\n")[0])).toEqual(["error missing /externalId"]);
    expect(faults(read(csv(), "A;Ring;ring;;;;;;;X\n")[0])).toEqual(["error not-listed /op"]);
  });

  const refused: [string, string, string[]][] = [
    ["an amount in another form", "A;Ring;ring;;1200.50;EUR;;;;", ["error not-money /insuredValue"]],
    ["an amount without currency", "A;Ring;ring;;1;;;;;", ["error not-money /insuredValue"]],
    ["an unknown currency", "A;Ring;ring;;1;XXX;;;;", ["error not-money /insuredValue"]],
    ["a third decimal", "A;Ring;ring;;1,005;EUR;;;;", ["error not-money /insuredValue"]],
    ["a word that is not listed", "A;Ring;boat;;;;;;;", ["error not-listed /category"]],
    ["a number that is none", "A;Ring;ring;;;;;big;;", ["error not-a-number /attributes/carat"]],
    ["a boolean that is none", "A;Ring;ring;;;;;;maybe;", ["error not-a-boolean /attributes/certified"]],
    ["no title", "A;;ring;;;;;;;", ["error missing /title"]],
    ["no id and no category", ";Ring;;;;;;;;", ["error missing /externalId", "error missing /category"]],
    ["a control character in the id", "A\u0001;Ring;ring;;;;;;;", ["error not-valid /externalId"]],
    ["a NUL", "A;Ri\u0000ng;ring;;;;;;;", ["error not-valid /title"]],
    ["too few cells", "A;Ring", ["error columns -"]],
  ];
  test.each(refused)("with %s is refused", (_name, text, expected) => {
    const [row] = read(csv(), `${text}\n`);
    expect(row?.mapped.op).toBe("refused");
    expect(faults(row)).toEqual(expected);
  });

  test("keeps what cannot be read where the mapping says so, with a warning", () => {
    const [row] = read(csv(), "A;Ring;ring;;;;c.1795–6;;;\n");
    expect(row?.mapped).toMatchObject({
      op: "upsert",
      input: { attributes: { boughtAsWritten: "c.1795–6" } },
    });
    expect(faults(row)).toEqual(["warning not-a-date /acquiredOn"]);
  });

  test("is cut where the mapping says so, never within a character", () => {
    const [row] = read(csv(), `A;${"🎨".repeat(200)};ring;;;;;;;\n`);
    expect(faults(row)).toEqual(["warning too-long /title"]);
    const mapped = row?.mapped;
    expect(mapped?.op === "upsert" && mapped.input.title).toBe(`${"🎨".repeat(149)}…`);
  });

  test("without content is blank", () => {
    expect(read(csv(), ";;;;;;;;;\n;;N/A;;;;;;;\n").map((r) => r.mapped.op)).toEqual(["blank", "blank"]);
  });

  test("that is bad stops no other", () => {
    const ops = read(csv(), 'A;"x;ring\nB;Ring;ring;;;;;;;\nC\nD;Ring;ring;;;;;;;\n').map((r) => r.mapped.op);
    expect(ops).toEqual(["refused", "upsert", "refused", "upsert"]);
  });

  test("never throws, and what it lets in is valid, whatever the cells are", () => {
    const reader = chunkReader(importInput.parse(csv()));
    const cell = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.constantFrom("A", "ring", "1,5", "EUR", "D", "__proto__", "17.05.2024"),
    );
    fc.assert(
      fc.property(fc.array(cell, { minLength: 10, maxLength: 10 }), (cells) => {
        const text = cells.map((c) => `"${c.replaceAll('"', '""')}"`).join(";");
        const chunk = reader(Buffer.from(`${text}\n`), 1);
        const mapped = chunk.read(0, chunk.rows, 1).map((row) => row.mapped);
        const silent = mapped.filter((m) => m.op === "refused" && m.notes.length === 0);
        expect(silent).toEqual([]);
      }),
    );
  });
});

describe("a line of NDJSON", () => {
  const direct = { source: "book", format: { type: "ndjson" } };
  test("is an item as the API takes it", () => {
    const item = { externalId: "A", title: "Ring", category: "jewellery", attributes: { carat: 0.2 } };
    const rows = read(
      direct,
      `${JSON.stringify(item)}\r\n\n${JSON.stringify({ externalId: "B", op: "delete" })}\n`,
    );
    expect(rows.map((r) => r.mapped)).toEqual([
      { op: "upsert", input: item, notes: [] },
      { op: "delete", externalId: "B", notes: [] },
    ]);
  });

  const refused: [string, string, string][] = [
    ["not JSON", "{", "error not-json -"],
    ["a list", "[1]", "error not-json -"],
    [
      "a prototype",
      '{"__proto__":{"a":1},"externalId":"A","title":"x","category":"art"}',
      "error not-json -",
    ],
    [
      "another tenant",
      '{"tenantId":"b","externalId":"A","title":"x","category":"art"}',
      "error not-valid /tenantId",
    ],
    ["no id", '{"title":"x","category":"art"}', "error missing /externalId"],
    ["an unknown op", '{"op":"drop","externalId":"A"}', "error not-valid /op"],
    [
      "deep nesting",
      `{"externalId":"A","title":"x","category":"art","attributes":${"[".repeat(50_000)}${"]".repeat(50_000)}}`,
      "error not-valid /attributes",
    ],
  ];
  test.each(refused)("with %s is refused", (_name, line, fault) => {
    expect(faults(read(direct, line)[0])[0]).toBe(fault);
  });

  test("may be mapped; its numbers and booleans are taken as they are", () => {
    const mapped = { ...csv(), format: { type: "ndjson" } };
    const [row] = read(
      mapped,
      JSON.stringify({
        id: 7,
        name: "Ring",
        kind: "ring",
        value: 1200.5,
        cur: "EUR",
        carat: 0.23,
        cert: true,
      }),
    );
    expect(row?.mapped).toMatchObject({
      input: {
        externalId: "7",
        insuredValue: { amountMinor: 120050 },
        attributes: { carat: 0.23, certified: true },
      },
    });
    expect(faults(read(mapped, '{"id":{"a":1}}')[0])).toEqual(["error not-valid -"]);
    expect(faults(read(mapped, '{"constructor":1}')[0])).toEqual([]);
  });
});

describe("a chunk", () => {
  const header = columns.join(";");
  const refusal = (input: unknown, text: string | Buffer, n = 1) => {
    try {
      read(input, text, n);
    } catch (e) {
      if (e instanceof ProblemError) return e.detail;
      throw e;
    }
    return undefined;
  };
  const withHeader = (kind: string) => ({ ...csv(), format: { ...csv().format, header: kind } });

  test("has its header where the import says so, and nowhere else", () => {
    expect(read(withHeader("first-chunk"), `\ufeff${header}\nA;;;;;;;;;D\n`).length).toBe(1);
    expect(read(withHeader("first-chunk"), "A;;;;;;;;;D\n", 2).length).toBe(1);
    expect(read(withHeader("first-chunk"), `\n \t\n${header}\nA;;;;;;;;;D\n`).length).toBe(1);
    expect(refusal(withHeader("first-chunk"), `${header};more\n`)).toMatch(/has 11 columns/);
    expect(refusal(withHeader("every-chunk"), "id;nome\n")).toMatch(/Column 2 .* "name"; it is "nome"/);
    expect(refusal(withHeader("every-chunk"), header.replace("name", "nome"))).toMatch(
      /Column 2 .* "name"; it is "nome"/,
    );
  });

  test("may have its header again anywhere: it names nothing", () => {
    const row = "A;;;;;;;;;D\n";
    const ops = (text: string, input: unknown = csv(), n = 1) => read(input, text, n).map((r) => r.mapped.op);
    for (let before = 0; before < 4; before++) {
      const text = `${row.repeat(before)}${header}\n${row}`;
      expect(ops(text)).toEqual([...Array<string>(before).fill("delete"), "blank", "delete"]);
    }
    expect(ops(`${header}\n${header}\n${row}`, withHeader("every-chunk"))).toEqual(["blank", "delete"]);
    expect(ops(`${header}\n${row}`, withHeader("first-chunk"), 2)).toEqual(["blank", "delete"]);
    expect(ops(`"id"; name ;${columns.slice(2).join(";")}\n`)).toEqual(["blank"]);
    expect(ops(`${header.replace("name", "nome")}\n`)).toEqual(["refused"]);
    const open = { ...csv(), format: { ...csv().format, columns: [...columns, "column 11"] } };
    expect(ops(`${header};\nA;;;;;;;;;D;\n`, open)).toEqual(["blank", "delete"]);
  });

  test("may have lines of blanks, which are rows without content", () => {
    const ops = read(csv(), "A;;;;;;;;;D\n   \n\t\nB;;;;;;;;;D\n").map((r) => r.mapped.op);
    expect(ops).toEqual(["delete", "blank", "blank", "delete"]);
  });

  test("is read no further than its reader has time for", () => {
    const chunk = chunkReader(importInput.parse(csv()))(Buffer.from("A;;;;;;;;;D\n".repeat(10)), 1);
    let asked = 0;
    expect(chunk.read(2, 9, 1, () => ++asked === 3).map((r) => r.at)).toEqual([2, 3, 4]);
    expect(chunk.read(2, 9, 1, () => true).map((r) => r.at)).toEqual([2]);
    expect(chunk.read(8, 99, 1, () => false).map((r) => r.at)).toEqual([8, 9]);
  });

  test("that is not UTF-8 is refused where it is broken, with what to do", () => {
    expect(refusal(csv(), Buffer.from("A;;;;;;;;;D\nB;\xe9;;;;;;;;\n", "latin1"))).toMatch(
      /byte 14 \(line 2\).*WINDOWS-1252/,
    );
    expect(refusal(csv(), Buffer.from("\ufeffA;", "utf16le"))).toMatch(/UTF-16/);
    expect(refusal(csv(), Buffer.from([0x1f, 0x8b, 8]))).toMatch(/gzip/);
  });

  test("has at most 5,000 rows", () => {
    expect(refusal(csv(), "A;;;;;;;;;D\n".repeat(5001))).toMatch(/more than 5000 rows/);
    expect(read(csv(), "A;;;;;;;;;D\n".repeat(5000)).length).toBe(5000);
    expect(refusal({ source: "b", format: { type: "ndjson" } }, "1\n".repeat(4_000_000))).toMatch(
      /more than 5000 rows/,
    );
  });
});

describe("a report", () => {
  test("that is mended can be sent back: rows keep their numbers and cells their meaning", () => {
    const input = importInput.parse({
      source: "book",
      format: { type: "csv", delimiter: ",", columns: ["name", "value"], header: "none" },
      mapping: {
        fields: {
          externalId: { template: "row-{row}" },
          title: { column: "name" },
          category: { constant: "art" },
        },
        attributes: { value: { type: "number", column: "value", number: plain } },
      },
    });
    const chunk = chunkReader(input)(Buffer.from('ok,1\n=HYPERLINK("x"),two\n-5,three\n'), 1);
    const reports: RowReport[] = chunk
      .read(0, 3, 100)
      .flatMap(({ at, mapped, cells }) =>
        mapped.op === "refused"
          ? [{ row: 100 + at, chunk: 1, refused: true, notes: mapped.notes, cells: cells ?? [] }]
          : [],
      );
    const text = csvReportHeader(input.format) + reports.map((r) => csvReportLine(r, input.format)).join("");
    expect(text).toContain(`101,"value: Is not a number`);
    expect(text).toContain(`"'=HYPERLINK(""x"")",two`);
    expect(text).toContain(`-5,three`);

    const again = importInput.parse({
      ...input,
      format: {
        ...input.format,
        columns: ["import_row", "import_fault", "name", "value"],
        header: "every-chunk",
      },
    });
    expect(importWarnings(again)).toEqual([expect.stringContaining("row's number")]);
    const mended = text.replace("two", "2").replace("three", "3");
    const items = read(again, mended).flatMap((r): ItemInput[] =>
      r.mapped.op === "upsert" ? [r.mapped.input] : [],
    );
    expect(items).toEqual([
      { externalId: "row-101", title: '=HYPERLINK("x")', category: "art", attributes: { value: 2 } },
      { externalId: "row-102", title: "-5", category: "art", attributes: { value: 3 } },
    ]);
  });

  test("shows whole the line that could not be split", () => {
    const input = importInput.parse(csv());
    const notes = [{ level: "error" as const, code: "not-csv" as const, message: "Why." }];
    expect(csvReportLine({ row: 3, chunk: 1, refused: true, notes, text: '=A;"x' }, input.format)).toBe(
      `3;row: Why.;"'=A;""x";;;;;;;;;\r\n`,
    );
  });
});

describe("real files", () => {
  const folder = new URL("../../../examples/", import.meta.url);
  const real = (file: string, mapping: string) => {
    const bytes = readFileSync(new URL(`data/${file}`, folder));
    const head = bytes.subarray(0, bytes.indexOf(10)).toString().trim().replaceAll('"', "").split(",");
    const input = importInput.parse({
      source: "book",
      format: { type: "csv", delimiter: ",", columns: head, header: "first-chunk" },
      mapping: JSON.parse(readFileSync(new URL(`import/${mapping}`, folder), "utf8")),
    });
    return { bytes, input };
  };

  test("every artwork is in, dates as they were written", () => {
    const { bytes, input } = real("tate-artworks-sample.csv", "tate.json");
    expect(importWarnings(input)).toEqual([]);
    const rows = read(input, bytes);
    expect(rows.length).toBe(2926);
    expect(rows.filter((r) => r.mapped.op !== "upsert" || r.mapped.notes.length > 0)).toEqual([]);
    const dated = rows.map((r) => r.mapped.op === "upsert" && r.mapped.input.attributes?.["dated"]);
    expect(dated).toContain("date not known");
    expect(dated.every((d) => typeof d === "string")).toBe(true);
  });

  test("diamonds get a market key of their band", () => {
    const { bytes, input } = real("diamonds.csv", "diamonds.json");
    const first = bytes.subarray(0, 60_000);
    const rows = read(input, first.subarray(0, first.lastIndexOf(10) + 1));
    expect(rows.every((r) => r.mapped.op === "upsert")).toBe(true);
    expect(rows[0]?.mapped).toMatchObject({
      input: { externalId: "row-1", marketKey: "diamond:ideal:e:si2:0.20-0.39" },
    });
  });
});
