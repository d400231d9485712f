import { createReadStream } from "node:fs";
import type { ItemInput } from "@proveniq/contracts";
import { type Options, parse } from "csv-parse";
import { diamondKey, diamonds } from "../market/diamonds.ts";

/** Read the first `count` rows of a CSV file in examples/data as objects by column. */
async function rows(file: string, count: number): Promise<Record<string, string>[]> {
  const options: Options = { columns: true, to: count, skip_empty_lines: true };
  const parser = createReadStream(new URL(`../data/${file}`, import.meta.url)).pipe(parse(options));
  const found: Record<string, string>[] = [];
  for await (const row of parser) found.push(row as Record<string, string>);
  return found;
}

/** A carrier's jewellery book. The file has no id, so a stone is known by its row. */
export async function stones(count: number): Promise<ItemInput[]> {
  const book = await diamonds(count);
  return book.map((stone, n) => {
    const { carat, cut, color, clarity, depth, table } = stone;
    return {
      title: `${carat.toFixed(2)} ct round diamond, ${cut}, ${color}, ${clarity}`,
      category: "jewellery",
      externalId: `row-${n + 1}`,
      marketKey: diamondKey(stone),
      insuredValue: { amountMinor: stone.priceMinor, currency: "USD" },
      attributes: { carat, cut, color, clarity, depth, table },
    };
  });
}

/** An EU partner's artworks: titles in many languages, most details optional. */
export async function artworks(count: number): Promise<ItemInput[]> {
  const book = await rows("tate-artworks-sample.csv", count);
  return book.map((row) => {
    const details = Object.entries({
      artist: row["all_artists"],
      medium: row["medium"],
      dated: row["dateText"],
      dimensions: row["dimensions"],
    }).flatMap(([key, value]) => (value ? [[key, value.slice(0, 500)] as const] : []));
    return {
      title: (row["title"] || "Untitled").slice(0, 300),
      category: "art",
      externalId: row["acno"] || `id-${row["id"]}`,
      ...(row["creditLine"] ? { description: row["creditLine"] } : {}),
      attributes: Object.fromEntries(details),
    };
  });
}
