import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median } from "../lib/stats.ts";
import { carrierBook, diamonds } from "./books.ts";
import {
  bulkWriter,
  importBook,
  importer,
  importers,
  ours,
  requireImporters,
  startStack,
} from "./contenders.ts";
import { build, peakRssMb } from "./stack.ts";
import { billedFor, undoCost, type Whole, wholeBook } from "./whole.ts";

export const description = "A book through router and cell, beside BulkWriter and the importers on npm";

/**
 * `--rows` (200000), `--rounds` (3), `--dry-run-rows` (3000000; 0 leaves it out), `--heap` of each emulator (6144 MiB), `--only whole`
 * (the whole of a book, first and unchanged, and what is billed for it; no peers). Each contender
 * of each round has a fresh emulator, warmed up alike, and they take turns. The cell is one that runs: it has seen a dry run of the book
 * before. What one does that was started for the import is a figure of its own.
 */
export default async function bench(args: readonly string[]): Promise<Record<string, number>> {
  const options = {
    rows: { type: "string", default: "200000" },
    rounds: { type: "string", default: "3" },
    "dry-run-rows": { type: "string", default: "3000000" },
    heap: { type: "string", default: "6144" },
    only: { type: "string" },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const [rows, rounds, dryRows, heapMb] = [
    values.rows,
    values.rounds,
    values["dry-run-rows"],
    values.heap,
  ].map(Number);
  if (![rows, rounds, dryRows, heapMb].every((n) => Number.isInteger(n)))
    throw new Error("the options are whole numbers");
  const { only } = values;
  if (only !== undefined && only !== "whole") throw new Error("--only takes whole");
  if (only === undefined) requireImporters();
  const folder = await mkdtemp(join(tmpdir(), "bench-import-"));
  try {
    await build();
    if (only === "whole") return await measureWhole(folder, rows ?? 0, rounds ?? 1, heapMb ?? 0);
    return await measure(folder, rows ?? 0, rounds ?? 1, dryRows ?? 0, heapMb ?? 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(folder: string, rows: number, rounds: number, dryRows: number, heapMb: number) {
  const stones = await diamonds(folder);
  const book = await carrierBook(folder, rows);
  const quarter = await carrierBook(folder, Math.floor(rows / 4));
  const stack = { folder, heapMb, pace: "off" } as const;
  const rates = new Map<string, number[]>();
  const note = (name: string, value: number) => {
    rates.set(name, [...(rates.get(name) ?? []), value]);
    console.log(`${name}: ${Math.round(value).toLocaleString("en-US")} rows/s`);
  };
  const cpu: number[] = [];
  const growth: number[] = [];
  for (let round = 0; round < rounds; round++) {
    console.log(`round ${round + 1}`);
    const small = await ours(quarter, "warm", stack);
    const large = await ours(book, "warm", stack);
    note(`${book.name}, fleet import`, large.rowsPerSecond);
    cpu.push(large.cpuUsPerRow);
    growth.push(large.peakRssMb - small.peakRssMb);
    console.log(
      `  ${large.cpuUsPerRow.toFixed(1)} µs of the cell's CPU a row; ${small.peakRssMb.toFixed(0)} → ${large.peakRssMb.toFixed(0)} MB`,
    );
    note(`${book.name}, BulkWriter`, await bulkWriter(book, heapMb));
    note("diamonds, fleet import", (await ours(stones, "warm", stack)).rowsPerSecond);
    note("diamonds, fleet import, cold cell", (await ours(stones, "cold", stack)).rowsPerSecond);
    note("diamonds, BulkWriter", await bulkWriter(stones, heapMb));
    for (const name of importers) {
      note(`diamonds, ${name}`, await importer(name, stones, { folder, heapMb }));
      note(`${book.name}, ${name}`, await importer(name, book, { folder, heapMb }));
    }
  }
  const whole = await measureWhole(folder, rows, rounds, heapMb);
  const of = (name: string) => median(rates.get(name) ?? []);
  const best = Math.max(...importers.map((name) => of(`${book.name}, ${name}`)));
  const bestStones = Math.max(...importers.map((name) => of(`diamonds, ${name}`)));
  const paced = await pacedRun(folder, heapMb);
  const dry = dryRows > 0 ? await dryRun(folder, dryRows, heapMb) : undefined;
  const ratio = (a: number, b: number) => Math.round((100 * a) / b) / 100;
  return {
    rows_s: of(`${book.name}, fleet import`),
    ratio_bulkwriter: ratio(of(`${book.name}, fleet import`), of(`${book.name}, BulkWriter`)),
    ratio_best_importer: ratio(of(`${book.name}, fleet import`), best),
    diamonds_rows_s: of("diamonds, fleet import"),
    diamonds_ratio_bulkwriter: ratio(of("diamonds, fleet import"), of("diamonds, BulkWriter")),
    diamonds_ratio_best_importer: ratio(of("diamonds, fleet import"), bestStones),
    diamonds_cold_cell_rows_s: of("diamonds, fleet import, cold cell"),
    cold_ratio_best_importer: ratio(of("diamonds, fleet import, cold cell"), bestStones),
    cell_cpu_us_per_row: median(cpu),
    rss_growth_mb: median(growth),
    ...whole,
    paced_rows_s: paced,
    ...(dry === undefined ? {} : { dry_run_rows_s: dry.rowsPerSecond, dry_run_rss_growth_mb: dry.growthMb }),
  };
}

/** Books whose billed operations are counted: what is read or written once weighs little in them, and they take no time. */
const billedRows = 20_000;

/** A full import from its begin to its end, first and when nothing has changed: how long a million rows take, and what they cost. */
async function measureWhole(folder: string, rows: number, rounds: number, heapMb: number) {
  const stack = { folder, heapMb, pace: "off" } as const;
  const book = await carrierBook(folder, rows);
  const runs: Whole[] = [];
  for (let round = 0; round < rounds; round++) {
    const run = await wholeBook(book, stack);
    runs.push(run);
    console.log(
      `${book.name}, whole: ${run.seconds.toFixed(1)} s, of them ${run.endingSeconds.toFixed(1)} after the last row; unchanged ${run.unchangedSeconds.toFixed(1)} s`,
    );
  }
  const small = await carrierBook(folder, billedRows);
  const billed = await billedFor(small, stack);
  console.log(`billed for ${billedRows} rows: ${JSON.stringify(billed)}`);
  const editions = await Promise.all([1, 2, 3, 4, 5].map((n) => carrierBook(folder, billedRows, n)));
  const undo = Math.round(10 * (await undoCost(editions, stack))) / 10;
  console.log(`undo: ${undo} % of the rate of an import that changes all of ${billedRows} things`);
  const perMillion = (seconds: (run: Whole) => number) =>
    Math.round((10 * median(runs.map(seconds)) * 1e6) / rows) / 10;
  const each = (count: number) => Math.round((1_000 * count) / billedRows) / 1_000;
  return {
    total_s_per_million: perMillion((run) => run.seconds),
    finish_s_per_million: perMillion((run) => run.endingSeconds),
    total_unchanged_s_per_million: perMillion((run) => run.unchangedSeconds),
    undo_cost_percent: undo,
    writes_per_new: each(billed.created.writes),
    reads_per_new: each(billed.created.reads),
    deletes_per_new: each(billed.created.deletes),
    writes_per_unchanged: each(billed.unchanged.writes),
    reads_per_unchanged: each(billed.unchanged.reads),
    deletes_per_unchanged: each(billed.unchanged.deletes),
  };
}

/** With the pace on: a cold collection takes 500 writes a second, whatever the manifest allows. */
async function pacedRun(folder: string, heapMb: number): Promise<number> {
  const book = await carrierBook(folder, 15_000);
  const stack = await startStack({ folder, heapMb, pace: "manifest", writesPerSecond: 8_000 });
  try {
    const seconds = await importBook(stack, book);
    const rate = Math.round(book.rows / seconds);
    console.log(`paced: ${rate} rows/s on a cold collection (500 allowed)`);
    return rate;
  } finally {
    await stack.close();
  }
}

/** A dry run through the router: memory must not grow with the rows. */
async function dryRun(folder: string, rows: number, heapMb: number) {
  const [small, large] = [await carrierBook(folder, Math.floor(rows / 10)), await carrierBook(folder, rows)];
  const stack = await startStack({ folder, heapMb, pace: "off" });
  try {
    await importBook(stack, small, ["--dry-run"]);
    const pid = stack.cell.pids["bulk"] ?? 0;
    const before = await peakRssMb(pid);
    const seconds = await importBook(stack, large, ["--dry-run"]);
    const growthMb = Math.round((await peakRssMb(pid)) - before);
    const rowsPerSecond = Math.round(rows / seconds);
    console.log(`dry run of ${rows}: ${rowsPerSecond} rows/s, ${growthMb} MB more than for a tenth of it`);
    return { rowsPerSecond, growthMb };
  } finally {
    await stack.close();
  }
}
