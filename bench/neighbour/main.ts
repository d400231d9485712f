import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { spawnGuarded } from "@proveniq/local-cloud/process";
import { type Book, carrierBook } from "../import/books.ts";
import { build, type Cell, keepOn, root, startCell, startRouter } from "../import/stack.ts";
import { median } from "../lib/stats.ts";
import { type Seen, steadyTraffic } from "./traffic.ts";

export const description = "What a large import does to the people of another cell, and of the same cell";

const perSecond = 60;

/**
 * `--rounds` (5) of `--seconds` (20) each, interleaved. Consumers and everything that serves them run on one core, the importing cell
 * on the other; in the other half of each round a program burns that core instead. Then a second tenant of the importing cell, with the
 * pace on, beside its quiet hours.
 */
export default async function bench(args: readonly string[]): Promise<Record<string, number>> {
  const options = {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "20" },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  if (!Number.isInteger(rounds) || !Number.isInteger(seconds))
    throw new Error("--rounds and --seconds are whole numbers");
  if (availableParallelism() < 2) throw new Error("this needs two cores");
  const folder = await mkdtemp(join(tmpdir(), "bench-neighbour-"));
  try {
    await build();
    const book = await carrierBook(folder, 400_000);
    const cells = await acrossCells(folder, book, rounds, seconds);
    const same = await withinCell(folder, book, rounds, seconds);
    return {
      p99_ratio_cells: cells.ratio,
      p99_ratio_same_cell: same.ratio,
      errors: cells.errors + same.errors,
      import_rows_s_flat_out: cells.rowsPerSecond,
      import_rows_s_paced: same.rowsPerSecond,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Outcome {
  ratio: number;
  errors: number;
  rowsPerSecond: number;
}

async function acrossCells(folder: string, book: Book, rounds: number, seconds: number): Promise<Outcome> {
  const consumer = await startCell({
    id: "consumer",
    services: ["api"],
    tenants: ["consumers"],
    heapMb: 1_024,
    pace: "off",
    core: 0,
  });
  const router = await startRouter(folder, [consumer], 0);
  await keepOn(0, process.pid);
  const traffic = {
    url: router.url,
    tenant: "consumers",
    key: consumer.keys["consumers"] ?? "",
    perSecond,
    seconds,
  };
  const known: string[] = [];
  await steadyTraffic({ ...traffic, seconds: 5 }, known);
  const [importing, burning]: Seen[][] = [[], []];
  const rates: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      const carrier = await startCell({
        id: "enterprise-a",
        services: ["bulk"],
        tenants: ["carrier-a"],
        heapMb: 6_144,
        pace: "off",
        core: 1,
      });
      const importer = startImport(carrier, book, 1, "carrier-a");
      await sleep(4_000);
      const before = await countItems(carrier, "carrier-a");
      importing?.push(await steadyTraffic(traffic, known));
      rates.push(((await countItems(carrier, "carrier-a")) - before) / seconds);
      await importer.stop();
      await carrier.close();
      const burner = burn(1);
      await sleep(1_000);
      burning?.push(await steadyTraffic(traffic, known));
      await burner.stop();
      told("import beside", importing?.at(-1));
      told("burner beside", burning?.at(-1));
    }
  } finally {
    await keepOn("0,1", process.pid);
    await router.close();
    await consumer.close();
  }
  return outcome(importing ?? [], burning ?? [], rates);
}

async function withinCell(folder: string, book: Book, rounds: number, seconds: number): Promise<Outcome> {
  // A new book for each round: one that is there already would not be written.
  const carrier = (n: number) => `carrier-a-${n}`;
  const cell = await startCell({
    id: "enterprise-a",
    services: ["api", "bulk"],
    tenants: ["carrier-b", ...Array.from({ length: rounds }, (_, n) => carrier(n))],
    heapMb: 6_144,
    pace: "manifest",
  });
  const router = await startRouter(folder, [cell]);
  const traffic = {
    url: router.url,
    tenant: "carrier-b",
    key: cell.keys["carrier-b"] ?? "",
    perSecond,
    seconds,
  };
  const known: string[] = [];
  const rates: number[] = [];
  const [importing, quiet]: Seen[][] = [[], []];
  try {
    await steadyTraffic({ ...traffic, seconds: 5 }, known);
    for (let round = 0; round < rounds; round++) {
      quiet?.push(await steadyTraffic(traffic, known));
      const importer = startImport(cell, book, undefined, carrier(round));
      await sleep(3_000);
      const before = await countItems(cell, carrier(round));
      importing?.push(await steadyTraffic(traffic, known));
      rates.push(((await countItems(cell, carrier(round))) - before) / seconds);
      await importer.stop();
      told("same cell, quiet", quiet?.at(-1));
      told("same cell, import", importing?.at(-1));
    }
  } finally {
    await router.close();
    await cell.close();
  }
  return outcome(importing ?? [], quiet ?? [], rates);
}

function outcome(busy: readonly Seen[], calm: readonly Seen[], rates: readonly number[]): Outcome {
  const p99 = (seen: readonly Seen[]) => median(seen.map((s) => s.p99));
  return {
    ratio: Math.round((100 * p99(busy)) / p99(calm)) / 100,
    errors: [...busy, ...calm].reduce((sum, s) => sum + s.errors, 0),
    rowsPerSecond: Math.round(median(rates)),
  };
}

function told(name: string, seen: Seen | undefined): void {
  if (seen === undefined) return;
  console.log(
    `${name}: p50 ${seen.p50.toFixed(1)} ms, p99 ${seen.p99.toFixed(1)} ms, ${seen.errors} errors of ${seen.calls}`,
  );
}

async function countItems({ pool, databaseId }: Cell, tenant: string): Promise<number> {
  const items = (await pool.open(databaseId)).collection(`tenants/${tenant}/items`);
  return (await items.count().get()).data().count;
}

/** `fleet import` straight at a cell, to be stopped before its end. */
function startImport(cell: Cell, book: Book, core: number | undefined, tenant: string) {
  const cli = join(root, "packages/fleet/bin/fleet.mjs");
  const args = [cli, "import", book.file, "--map", book.mapping, "--tenant", tenant, "--fresh", "--json"];
  return stoppable(core, [...args, "--url", cell.urls.bulk, "--key", cell.keys[tenant] ?? ""]);
}

/** A program that keeps a core busy with work of its own. */
function burn(core: number) {
  return stoppable(core, ["-e", "let x = 0; for (;;) x = Math.sqrt(x + 1);"]);
}

function stoppable(core: number | undefined, args: readonly string[]) {
  const command = [process.execPath, ...args];
  const [program = "", ...rest] = core === undefined ? command : ["taskset", "-c", String(core), ...command];
  const child = spawnGuarded(program, rest);
  child.stdout.resume();
  child.stderr.resume();
  return {
    stop: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
