import type { Band } from "@proveniq/contracts";
import { type Decimal, numberReader } from "./numbers.ts";

/** `Very Good` → `very-good`, `Crème` → `creme`: a word as market keys have them. Empty when nothing is left. */
export function slugOf(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/gu, "-")
    .replace(/^-|-$/gu, "");
}

const plain = numberReader({ decimal: ".", grouping: "none", negative: "leading", strip: [] });

/**
 * Make the function from a cell to its band: 0.23 → `0.20-0.39` with a width of 0.2 and two decimals. The upper
 * edge belongs to the next band. `"number"`: the cell is none; `"outside"`: below 0 or outside the edges.
 */
export function bandReader(band: Band): (cell: string | number) => { name: string } | "number" | "outside" {
  const read = band.number === undefined ? plain : numberReader(band.number);
  const units = 10 ** band.decimals;
  // Whole numbers of the last decimal, so that 0.6 lies in the band that begins at 0.60.
  const scaled = (n: number) => Math.round(n * units);
  const label = (n: number) => (n / units).toFixed(band.decimals);
  const edges = band.edges?.map(scaled);
  const width = scaled(band.width ?? 1);
  return (cell) => {
    const decimal = typeof cell === "number" ? plain(String(cell)) : read(cell);
    if (decimal === undefined) return "number";
    const at = floorOf(decimal, band.decimals);
    if (!Number.isSafeInteger(at)) return "outside";
    if (edges === undefined) {
      if (at < 0) return "outside";
      const from = Math.floor(at / width) * width;
      return { name: `${label(from)}-${label(from + width - 1)}` };
    }
    const n = edges.findLastIndex((edge) => edge <= at);
    const [from, to] = [edges[n], edges[n + 1]];
    if (from === undefined || to === undefined) return "outside";
    return { name: `${label(from)}-${label(to - 1)}` };
  };
}

/** How many whole units of 10^-digits are below it: by its digits, so that 0.199999999 is not 0.2. */
function floorOf({ negative, whole, decimals }: Decimal, digits: number): number {
  const units = Number(`${whole}${decimals.slice(0, digits).padEnd(digits, "0")}`);
  if (!negative) return units;
  return /[1-9]/u.test(decimals.slice(digits)) ? -units - 1 : 0 - units;
}
