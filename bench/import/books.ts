import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { importInput } from "@proveniq/contracts";
import { chunkReader } from "@proveniq/rows";
import { type ItemRecord, toDocument } from "../../packages/db/src/items/document.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A partner's file with its mapping. */
export interface Book {
  name: string;
  rows: number;
  file: string;
  mapping: string;
}

/** The diamonds of examples/data. */
export async function diamonds(folder: string): Promise<Book> {
  const file = join(folder, "diamonds.csv");
  await copyFile(join(root, "examples/data/diamonds.csv"), file);
  return { name: "diamonds", rows: 53_940, file, mapping: join(root, "examples/import/diamonds.json") };
}

const kinds = ["Ring", "Watch", "Necklace", "Brooch", "Bracelet"];
const number = { decimal: ".", grouping: "none" };

/**
 * A carrier's book of so many things: fifteen columns, of which a few are left out. `edition`: in each other one every thing has
 * another title.
 */
export async function carrierBook(folder: string, rows: number, edition = 1): Promise<Book> {
  const file = join(folder, `book-${rows}-${edition}.csv`);
  const when = edition === 1 ? "" : `, no. ${edition}`;
  const out = createWriteStream(file);
  const columns =
    "policy,item,kind,title,maker,serial,insured,currency,bought,city,state,weight_g,stones,certified,agent";
  out.write(`${columns}\n`);
  let part = "";
  for (let n = 0; n < rows; n++) {
    const kind = kinds[n % kinds.length] ?? "Ring";
    const worth = `${200 + ((n * 7_919) % 90_000)}.${String(n % 100).padStart(2, "0")}`;
    const bought = `${String(1 + (n % 28)).padStart(2, "0")}.${String(1 + (n % 12)).padStart(2, "0")}.${1990 + (n % 34)}`;
    part +=
      `P-${1_000_000 + Math.floor(n / 3)},${1 + (n % 3)},${kind},"${kind} no. ${n}, as in the valuation${when}",Maker ${n % 97},` +
      `S${n.toString(36).toUpperCase()},${worth},${n % 4 === 0 ? "EUR" : "USD"},${bought},City ${n % 211},good,` +
      `${(n % 500) / 10},${n % 40},${n % 2 === 0 ? "Y" : "N"},A${n % 31}\n`;
    if (part.length < 1_000_000) continue;
    if (!out.write(part)) await once(out, "drain");
    part = "";
  }
  out.end(part);
  await finished(out);
  const mapping = join(folder, "book.json");
  await writeFile(
    mapping,
    JSON.stringify({
      fields: {
        externalId: { template: "{policy}/{item}" },
        title: { column: "title" },
        category: {
          column: "kind",
          values: Object.fromEntries(kinds.map((k) => [k, k === "Watch" ? "watch" : "jewellery"])),
        },
        condition: { column: "state" },
        serialNumber: { column: "serial" },
        location: { column: "city" },
        acquiredOn: { column: "bought", formats: ["dd.MM.yyyy"] },
        insuredValue: { column: "insured", unit: "major", number, currency: { column: "currency" } },
      },
      attributes: {
        maker: { type: "text", column: "maker" },
        weightG: { type: "number", column: "weight_g", number },
        stones: { type: "number", column: "stones", number },
        certified: { type: "boolean", column: "certified", true: ["Y"], false: ["N"] },
      },
      ignore: ["agent"],
    }),
  );
  return { name: `book of ${rows}`, rows, file, mapping };
}

/** The items of a book as somebody would write them who has no importer: a field for each field. */
export async function itemsOf(book: Book): Promise<ItemRecord["input"][]> {
  const text = await readFile(book.file);
  const header = text.subarray(0, text.indexOf(10)).toString().trim().replaceAll('"', "");
  const input = importInput.parse({
    source: "bench",
    format: { type: "csv", delimiter: ",", columns: header.split(","), header: "first-chunk" },
    mapping: JSON.parse(await readFile(book.mapping, "utf8")),
  });
  const open = chunkReader({ ...input, format: { ...input.format, header: "none" } as typeof input.format });
  const items: ItemRecord["input"][] = [];
  for (let from = text.indexOf(10) + 1; from < text.length; ) {
    let end = from;
    for (let n = 0; n < 5_000 && end >= 0; n++) end = text.indexOf(10, end) + 1 || text.length;
    const chunk = open(text.subarray(from, end), 1);
    for (const { mapped } of chunk.read(0, chunk.rows, items.length + 1)) {
      if (mapped.op !== "upsert") throw new Error("the book has a row that does not go in");
      items.push({ ...mapped.input, ownerId: "carrier-a" });
    }
    from = end;
  }
  return items;
}

/** The very documents that an import of a book writes. */
export async function documentsOf(book: Book): Promise<Record<string, unknown>[]> {
  const at = new Date();
  const history = { version: 1, writeId: "abcdefghijklmnopqrst", createdAt: at, updatedAt: at };
  return (await itemsOf(book)).map((input, row) =>
    toDocument({ input, ...history, imported: { source: "bench", job: 1, row } }),
  );
}
