import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cellManifest, type MarketValue, parseFile } from "@proveniq/contracts";
import { publishMarket } from "@proveniq/control-plane/market";
import { MarketPublishing } from "@proveniq/db/market/publishing";
import { DatabasePool } from "@proveniq/db/pool";
import { startEmulator } from "@proveniq/local-cloud/emulator";
import { buildArtefact } from "../../apps/cell-api/build.ts";
import { valuationOf } from "../../apps/cell-api/src/valuation/estimate.ts";
import { freePort } from "../lib/process.ts";
import { median } from "../lib/stats.ts";
import { type BenchCell, benchCell, central } from "./cells.ts";
import { plainWay } from "./plain.ts";

export const description =
  "Market values into three cells: start from nothing, then changes; beside the plain way";

/** What the cell promises. */
const bars = { readsPerValue: 1 / 400, lagMs: 2_000, cachedUs: 50 };

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * `--values` (100000) are published and taken over by `--cells` (3) at once, each by its own replicator process; then
 * `--changes` (10000) are published at `--pages-per-second` (1) while each cell is asked for a value of every page.
 */
export default async function run(args: readonly string[]): Promise<Record<string, number>> {
  const { values: given } = parseArgs({
    args: [...args],
    options: {
      values: { type: "string", default: "100000" },
      changes: { type: "string", default: "10000" },
      cells: { type: "string", default: "3" },
      "pages-per-second": { type: "string", default: "1" },
    },
  });
  const count = { values: Number(given.values), changes: Number(given.changes), cells: Number(given.cells) };
  if (!Object.values(count).every((n) => Number.isInteger(n) && n > 0) || count.changes > count.values) {
    throw new Error("--values, --changes and --cells must be whole numbers, changes not above values");
  }
  process.env["METADATA_SERVER_DETECTION"] = "none";
  const folder = await mkdtemp(join(tmpdir(), "bench-market-"));
  const heapMb = 512 + Math.ceil(count.values / 40);
  const file = "infra/cells/eu/cell.json";
  const manifest = parseFile(cellManifest, file, await readFile(join(root, file), "utf8"));
  const [emulator] = await Promise.all([
    startEmulator({ port: await freePort(), heapMb: 1_024 }),
    buildArtefact(root, folder),
  ]);
  const pool = new DatabasePool({
    projectId: central.project,
    allow: [central.database],
    emulatorHost: emulator.host,
  });
  const centre = new MarketPublishing(() => pool.open(central.database));
  const options = { manifest, artefact: join(folder, "artefact"), centralHost: emulator.host, heapMb };
  let cells: BenchCell[] = [];
  try {
    cells = await Promise.all(Array.from({ length: count.cells }, (_, n) => benchCell(n, options)));
    const book = valuesOf(count.values, 0);
    console.log(`publishing ${count.values} values …`);
    const published = await publishMarket(centre, book);
    const seconds = await startAll(cells, published.sequence);
    console.log(`${count.cells} cells took over ${count.values} values each in ${seconds.toFixed(1)} s`);
    // Each cell now compares its first bucket. This emulator scans every document for that (seconds of a processor),
    // where an index would read a few hundred; the next comparison is a minute away.
    await sleep(Math.min(15_000, count.values / 5));
    const lags = await change(centre, book, cells, count.changes, Number(given["pages-per-second"]));
    const cachedUs = await cachedValuation(cells, [...book.keys()].slice(0, 1_000));
    const reads = await Promise.all(cells.map((cell) => cell.end()));
    const figures = {
      values_s: Math.round((count.values * count.cells) / seconds),
      reads_per_value: round(Math.max(...reads) / (count.values + count.changes), 6),
      lag_p50_ms: Math.round(percentile(lags, 50)),
      lag_p99_ms: Math.round(percentile(lags, 99)),
      rss_growth_mb: round(Math.max(...cells.map(({ rss }) => growth(rss))), 1),
      cached_valuation_us: round(cachedUs, 2),
    };
    report(figures);
    await Promise.all(cells.splice(0).map((cell) => cell.close()));
    const plain = await plainWay([...book.values()], [...valuesOf(count.changes, 1).values()]);
    console.log(
      `the plain way: ${plain.values_s} values/s into one cell, ${plain.reads_per_value.toFixed(2)} reads of the centre per value, ` +
        `${plain.left_over} of 100 withdrawn values still served`,
    );
    return {
      ...figures,
      plain_values_s: plain.values_s,
      plain_reads_per_value: round(plain.reads_per_value, 3),
    };
  } finally {
    await Promise.all(cells.map((cell) => cell.close()));
    await pool.close();
    await emulator.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function valuesOf(count: number, round: number): Map<string, MarketValue> {
  return new Map(
    Array.from({ length: count }, (_, n) => [
      `stone:grade-${n % 40}:${n}`,
      {
        marketKey: `stone:grade-${n % 40}:${n}`,
        currency: "USD",
        medianMinor: 10_000 + n + round,
        p10Minor: 9_000,
        p90Minor: 1_000_000,
        sampleSize: 11,
        asOf: "2026-11-01",
      },
    ]),
  );
}

/** Start every replicator at once; resolves with the seconds until the last cell was at the sequence. */
async function startAll(cells: readonly BenchCell[], sequence: number): Promise<number> {
  const started = performance.now();
  for (const cell of cells) cell.start();
  await Promise.all(
    cells.map(async (cell) => {
      while ((await cell.sequence()) < sequence) {
        await cell.sample();
        await sleep(200);
      }
    }),
  );
  return (performance.now() - started) / 1_000;
}

/** Publish changes; resolves with the milliseconds from each page's publication to its value in each cell's answer. */
async function change(
  centre: MarketPublishing,
  book: ReadonlyMap<string, MarketValue>,
  cells: readonly BenchCell[],
  changes: number,
  pagesPerSecond: number,
): Promise<number[]> {
  const changed = valuesOf(changes, 1);
  const lags: number[] = [];
  const waiting: Promise<void>[] = [];
  // Pages are cut from the changes sorted by key: one key of each is asked for.
  const keys = [...changed.keys()].sort();
  await publishMarket(centre, new Map([...book, ...changed]), {
    pagesPerSecond,
    progress: ({ pages }) => {
      const at = performance.now();
      const key = keys[(pages - 1) * 500] ?? "";
      const wanted = changed.get(key)?.medianMinor;
      for (const cell of cells) {
        waiting.push(
          (async () => {
            while ((await cell.median(key)) !== wanted) await sleep(20);
            lags.push(performance.now() - at);
            await cell.sample();
          })(),
        );
      }
    },
  });
  await Promise.all(waiting);
  return lags;
}

/** Microseconds of processor time for one valuation whose value is in memory. */
async function cachedValuation(cells: readonly BenchCell[], keys: readonly string[]): Promise<number> {
  const [cell] = cells;
  if (cell === undefined) return 0;
  await cell.reader.values(keys.slice(0, 500));
  const rounds = 100_000;
  const before = process.cpuUsage();
  let sum = 0;
  for (let n = 0; n < rounds; n++) {
    const key = keys[n % 500] ?? "";
    const value = (await cell.reader.values([key])).values.get(key);
    if (value !== undefined) sum += valuationOf(value, "fair").estimate.amountMinor;
  }
  if (sum === 0) throw new Error("nothing was valued");
  const { user, system } = process.cpuUsage(before);
  return (user + system) / rounds;
}

/** MB from the second quarter of the samples, when the process has warmed up, to the last. */
function growth(rss: readonly number[]): number {
  const quarter = Math.max(1, Math.floor(rss.length / 4));
  return median(rss.slice(-quarter)) - median(rss.slice(quarter, 2 * quarter));
}

function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function report(figures: Record<"reads_per_value" | "lag_p99_ms" | "cached_valuation_us", number>): void {
  const verdicts: [string, number, number][] = [
    ["reads of the centre per value", figures.reads_per_value, bars.readsPerValue],
    ["lag p99 in ms", figures.lag_p99_ms, bars.lagMs],
    ["µs of CPU for a cached valuation", figures.cached_valuation_us, bars.cachedUs],
  ];
  for (const [name, value, bar] of verdicts) {
    console.log(`${value <= bar ? "within" : "BEYOND"} the bar: ${name} ${value} (at most ${bar})`);
  }
}
