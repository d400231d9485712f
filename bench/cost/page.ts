import type { Billed } from "@proveniq/local-cloud/billing";
import { prices, workload } from "./prices.ts";

export type Operation =
  | "create"
  | "patch"
  | "read"
  | "list(50)"
  | "portfolio, each item"
  | "import row, new"
  | "import row, unchanged"
  | "idle, api and bulk, hour";

export interface Measured {
  /** What one of each is billed. */
  each: Record<Operation, Billed>;
  /** Ranges that would run hot while a book is imported at `rate` rows a second. */
  hot: readonly string[];
  rows: number;
  rate: number;
}

/** US dollars. */
export function dollars({ reads, writes, deletes }: Billed): number {
  return reads * prices.read + writes * prices.write + deletes * prices.delete;
}

/** The stated month, by what causes it. Firestore's operations alone: neither storage nor processors. */
export function monthOf(each: Measured["each"]) {
  const { seconds, items } = workload;
  const lines = {
    "reading one": workload.getsPerSecond * seconds * dollars(each.read),
    lists: workload.listsPerSecond * seconds * dollars(each["list(50)"]),
    writes: (workload.writesPerSecond * seconds * (dollars(each.create) + dollars(each.patch))) / 2,
    "full imports": workload.importsPerMonth * items * dollars(each["import row, unchanged"]),
    portfolio: workload.portfoliosPerMonth * items * dollars(each["portfolio, each item"]),
  };
  const idleUsd = 30 * 24 * dollars(each["idle, api and bulk, hour"]);
  return { lines, idleUsd, usd: Object.values(lines).reduce((sum, usd) => sum + usd, idleUsd) };
}

/** docs/cost.md. */
export function costPage(measured: Measured): string {
  const month = monthOf(measured.each);
  const bar = (name: string, value: number, most: number) =>
    `| ${name} | ${round(value)} | ${most} | ${value <= most ? "held" : "**missed**"} |`;
  const { each } = measured;
  return `# What it costs

Made by \`npm run bench -- cost --write\`: services of a cell on an emulator, each call to the database counted as Google
bills it. List prices of ${prices.location}, written down on ${prices.asOf}, in \`bench/cost/prices.ts\`. Firestore's operations alone:
storage, processors and network are not in it, nor are the replicator and the sink, which were not measured.

| operation | reads | writes | deletes | USD for a million |
|---|---|---|---|---|
${Object.entries(each)
  .map(([name, b]) => `| ${name} | ${b.reads} | ${b.writes} | ${b.deletes} | ${round(1e6 * dollars(b))} |`)
  .join("\n")}

Imports are of ${measured.rows.toLocaleString("en-US")} rows: what is read and written once for each import weighs more here than in
a large book.

## A month

${(workload.items / 1e6).toFixed(0)} million items; ${workload.getsPerSecond} reads, ${workload.listsPerSecond} lists and ${workload.writesPerSecond} writes a second; each night the whole book is imported,
with nothing changed; a portfolio each hour. Calculated from the table above; nobody has run this month.

| for | USD |
|---|---|
${Object.entries({ ...month.lines, "idle services": month.idleUsd })
  .map(([name, usd]) => `| ${name} | ${round(usd)} |`)
  .join("\n")}
| **sum** | **${Math.round(month.usd)}** |

## What must hold

| | measured | at most | |
|---|---|---|---|
${bar("the month, USD", Math.round(month.usd), 800)}
${bar("writes for a new row", each["import row, new"].writes, 1.05)}
${bar("reads for an unchanged row", each["import row, unchanged"].reads, 1)}
${bar("reads for a GET", each.read.reads, 1.2)}
${bar("idle api and bulk, USD a month", month.idleUsd, 15)}

## Where it would run hot

An end of an index or a collection that only grows takes about 500 writes a second
([Google](https://firebase.google.com/docs/firestore/solutions/shard-timestamp)).
At ${measured.rate.toLocaleString("en-US")} rows a second of simulated time these ranges took more:

${measured.hot.length === 0 ? "None seen." : measured.hot.map((line) => `- \`${line}\``).join("\n")}

An import has many commits under way at once, and each gives its rows one time. A small book is over before time has
passed between them, so that growth by time hardly shows in one: none seen here does not mean none. The index
\`(ownerId, createdAt desc)\` of rows without an owner does run hot when commits come one after the other
(\`production.emulator.test.ts\`); that is not mended yet.
`;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
