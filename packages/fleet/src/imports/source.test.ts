import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { importInput } from "@proveniq/contracts";
import { chunkReader } from "@proveniq/rows";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ZodError } from "zod";
import { CommandError } from "../cli/errors.ts";
import { draftMapping } from "./draft.ts";
import { formatOf, openSource, type SourceOptions } from "./source.ts";
import { chunksOf } from "./split.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleet-source-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(content: string | Buffer): Promise<string> {
  await writeFile(join(folder, "book.csv"), content);
  return join(folder, "book.csv");
}
const options: SourceOptions = { format: "csv", encoding: "utf-8" };
const open = async (content: string | Buffer, more: Partial<SourceOptions> = {}) =>
  openSource(await file(content), { ...options, ...more });

/** The rows that the client counts, and what a cell makes of the chunks that it sends. */
async function bothSides(content: string | Buffer) {
  const source = await open(content);
  const input = importInput.parse({
    source: "b",
    format: formatOf(source),
    mapping: {
      fields: { externalId: { column: "id" }, title: { constant: "x" }, category: { constant: "art" } },
    },
  });
  const reader = chunkReader(input);
  let counted = 0;
  const found: unknown[] = [];
  for await (const { bytes, chunk, rows } of chunksOf(source)) {
    counted += rows;
    const opened = reader(bytes, chunk);
    found.push(
      ...opened
        .read(0, opened.rows, 1)
        .map((r) => (r.mapped.op === "blank" ? "blank" : (r.cells ?? "refused"))),
    );
  }
  return { counted, found };
}

describe("a header", () => {
  test.each<[string, string, string[], string]>([
    ["after blank lines", "\n \t\r\n\nid,name\n1,x\n", ["id", "name"], ","],
    ["after Excel's sep=", "sep=;\r\nid;a,b\r\n1;x\r\n", ["id", "a,b"], ";"],
    ["after a byte order mark and sep=", '\ufeff"sep=|"\nid|name\n', ["id", "name"], "|"],
    ["that ends with delimiters", "id;name;;\n1;x;;\n", ["id", "name", "column 3", "column 4"], ";"],
    ["with a line break in a name", 'id,"a\r\nb"\n', ["id", "a b"], ","],
    ["of an old Macintosh", "id,name\r1,x", ["id", "name"], ","],
  ])("%s is found", async (_name, content, columns, delimiter) => {
    expect((await open(content)).csv).toMatchObject({ columns, delimiter });
  });

  test("names the delimiter unless somebody does", async () => {
    expect((await open("sep=;\na;b,c\n", { delimiter: "," })).csv).toMatchObject({ columns: ["a;b", "c"] });
  });

  const long = "n".repeat(250);
  test.each<[string, string | Buffer, string]>([
    [
      "in Latin-1",
      Buffer.from("id,Gr\xf6\xdfe\n1,2\n", "latin1"),
      "is not UTF-8. If it comes from a spreadsheet, add --encoding windows-1252",
    ],
    ["of blanks only", " \n\n", "is empty"],
    ["with an unknown sep=", "sep=^\na^b\n", "begins with sep=^"],
    ["without a name within", "id,,name\n", "has a column without a name, its 2nd."],
    ["with a name without end", `id,${long}\n`, "has a column name of 250 characters"],
    ["with a control character", "id,a\u0007b\n", "has control characters in the name"],
    ["of a workbook", Buffer.from("PK\u0003\u0004"), "save the sheet as CSV"],
  ])("%s is refused with what to do", async (_name, content, message) => {
    await expect(open(content)).rejects.toThrow(message);
    await expect(open(content)).rejects.not.toThrow(/[{}]/);
  });

  test("of another encoding that is not that is refused", async () => {
    await expect(open(Buffer.from("id,\xff\xfe\n", "latin1"), { encoding: "euc-jp" })).rejects.toThrow(
      "is not euc-jp",
    );
  });
});

test("what is no file is refused with what to do", async () => {
  await expect(openSource(folder, options)).rejects.toThrow("is a directory. Name the file in it.");
  await expect(openSource("-", options)).rejects.toThrow("Write it into a file first: cat > book.csv");
  await expect(openSource(join(folder, "none"), options)).rejects.toThrow("There is no file");
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  await expect(openSource(pipe, options)).rejects.toThrow("is a pipe or a device");
});

describe("client and cell find the same rows", () => {
  test.each([
    [
      "CR alone, the last without",
      "id,n\r1,a\r2,b",
      [
        ["1", "a"],
        ["2", "b"],
      ],
    ],
    [
      "CR alone, LF within a late cell",
      'id,n\r1,a\r2,"b\nc"\r3,d\r',
      [
        ["1", "a"],
        ["2", "b\nc"],
        ["3", "d"],
      ],
    ],
    ["LF, the last without, CR within", "id,n\n1,a\r", [["1", "a"]]],
    ["CR alone, a quote that is never closed", 'id,n\r1,"a\r2,b\r', ["refused", ["2", "b"]]],
    ["a line of blanks", "id,n\n1,a\n   \n2,b\n", [["1", "a"], "blank", ["2", "b"]]],
    ["the header again", "id,n\n1,a\nid,n\n2,b\n", [["1", "a"], "blank", ["2", "b"]]],
    ["the header again, with its delimiter at the end", "id,\n1,\nid,\n", [["1", ""], "blank"]],
  ])("of %s", async (_name, content, found) => {
    expect(await bothSides(content)).toEqual({ counted: found.length, found });
  });

  test("of the header again at any place, also where a chunk begins", async () => {
    for (const before of [1_999, 2_000, 2_001]) {
      const { counted, found } = await bothSides(`id,n\n${"1,a\n".repeat(before)}id,n\n2,b\n`);
      expect([counted, found.indexOf("blank"), found.lastIndexOf("blank")]).toEqual([
        before + 2,
        before,
        before,
      ]);
    }
  });

  test("of anything at all", async () => {
    const piece = fc.constantFrom('"', '"', ",", ",", "\n", "\r\n", "\r", "a", '""', " ", "é", "id,n");
    const text = fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(""));
    const eol = fc.constantFrom("\n", "\r\n", "\r");
    await fc.assert(
      fc.asyncProperty(text, eol, async (t, end) => {
        const sides = await bothSides(`id,n${end}${t}`).catch((error: unknown) => {
          // Some of it is no header any more, or one without the mapping's columns.
          if (error instanceof CommandError || error instanceof ZodError) return undefined;
          throw error;
        });
        fc.pre(sides !== undefined);
        const { counted, found } = sides;
        expect(found.length).toBe(counted);
      }),
      { numRuns: 300 },
    );
  });

  test("of a line without end, cut where no character is halved", async () => {
    const { counted, found } = await bothSides(`id,n\n${"€".repeat(700_000)}\n1,a\n`);
    expect({ counted, found }).toEqual({ counted: 2, found: ["refused", ["1", "a"]] });
  });
});

describe("a draft", () => {
  test("takes no column as id that repeats", () => {
    const rows = [
      ["P-1", "1", "A"],
      ["P-1", "2", "B"],
    ];
    const first = draftMapping(["policy no", "item no", "title"], rows);
    expect(first.mapping["fields"]).toMatchObject({ externalId: { column: "item no" } });
    const none = draftMapping(["policy no", "n", "title"], rows);
    expect(none.mapping["fields"]).toMatchObject({ externalId: { template: "row-{row}" } });
    expect(none.remarks[0]).toMatch(/^policy no repeats/);
  });

  test("reads numbers with more digits than a number holds as text", () => {
    const { mapping } = draftMapping(["id", "ean {13}"], [["1", "50000000014435121"]]);
    expect(mapping["attributes"]).toMatchObject({ ean13: { type: "text" } });
  });
});
