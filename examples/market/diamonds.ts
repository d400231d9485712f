import { createReadStream } from "node:fs";
import { type Options, parse } from "csv-parse";

/** A stone as the file of examples/data describes it. */
export interface Diamond {
  carat: number;
  cut: string;
  color: string;
  clarity: string;
  depth: number;
  table: number;
  /** In US cents. */
  priceMinor: number;
}

/** The first `count` diamonds of examples/data/diamonds.csv, or all of them, in the order of the file. */
export async function diamonds(count?: number): Promise<Diamond[]> {
  const options: Options = {
    columns: true,
    skip_empty_lines: true,
    ...(count === undefined ? {} : { to: count }),
  };
  const file = new URL("../data/diamonds.csv", import.meta.url);
  const found: Diamond[] = [];
  for await (const row of createReadStream(file).pipe(parse(options))) found.push(diamond(row));
  return found;
}

function diamond(row: Record<string, string>): Diamond {
  const { cut = "", color = "", clarity = "" } = row;
  return {
    carat: Number(row["carat"]),
    cut,
    color,
    clarity,
    depth: Number(row["depth"]),
    table: Number(row["table"]),
    priceMinor: Math.round(Number(row["price"]) * 100),
  };
}

/**
 * The market key of a stone: its three grades and its carat band of a fifth, such as
 * `diamond:very-good:j:vvs2:0.20-0.39`. The one rule for items and for values.
 */
export function diamondKey({ cut, color, clarity, carat }: Diamond): string {
  const grade = [cut, color, clarity].map((g) => g.toLowerCase().replaceAll(" ", "-"));
  return `diamond:${grade.join(":")}:${caratBand(carat)}`;
}

/** 0.20-0.39, 0.40-0.59, …: what the trade prices stones by, besides the three grades. */
function caratBand(carat: number): string {
  // In hundredths, as stones are weighed: 0.6 * 5 is 3.0000000000000004 on one machine and 3 nowhere.
  const hundredths = Math.round(carat * 100);
  const from = hundredths - (hundredths % 20);
  return `${(from / 100).toFixed(2)}-${((from + 19) / 100).toFixed(2)}`;
}
