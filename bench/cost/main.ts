import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";
import { item } from "@proveniq/contracts";
import { indexDefinitions } from "@proveniq/db/queries";
import type { Billed, BillingProxy } from "@proveniq/local-cloud/billing";
import { carrierBook } from "../import/books.ts";
import { build, type Cell, root, startCell, startRouter } from "../import/stack.ts";
import { costPage, dollars, type Measured, monthOf } from "./page.ts";

export const description =
  "What Google bills for each operation, for a month of a stated workload, and where it would run hot";

const tenant = "carrier-a";
const run = promisify(execFile);

/**
 * `--rows` (5000) of the imports, `--repeats` (20) of each other operation, `--idle` (60) seconds, `--write` makes docs/cost.md of it.
 * Counted between services and emulator, call by call; nothing here is about time.
 */
export default async function bench(args: readonly string[]): Promise<Record<string, number>> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: "string", default: "5000" },
      repeats: { type: "string", default: "20" },
      idle: { type: "string", default: "60" },
      write: { type: "boolean", default: false },
    },
  });
  const [rows = 0, repeats = 0, idle = 0] = [values.rows, values.repeats, values.idle].map(Number);
  if (![rows, repeats, idle].every((n) => Number.isInteger(n) && n > 0))
    throw new Error("--rows, --repeats and --idle are whole numbers above 0");
  const folder = await mkdtemp(join(tmpdir(), "bench-cost-"));
  try {
    await build();
    const measured = await measure(folder, rows, repeats, idle);
    for (const [name, each] of Object.entries(measured.each))
      console.log(`${name.padEnd(22)} ${show(each)}  ${dollars(each).toExponential(2)} USD`);
    for (const hot of measured.hot) console.log(`hot: ${hot}`);
    const month = monthOf(measured.each);
    if (values.write) await writeFile(join(root, "docs/cost.md"), costPage(measured));
    return {
      month_usd: Math.round(month.usd),
      writes_per_new: measured.each["import row, new"].writes,
      reads_per_unchanged: measured.each["import row, unchanged"].reads,
      reads_per_get: measured.each.read.reads,
      idle_cell_month_usd: Math.round(100 * month.idleUsd) / 100,
      hot_ranges: measured.hot.length,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(folder: string, rows: number, repeats: number, idle: number): Promise<Measured> {
  const file = await readFile(join(root, "infra/firestore.indexes.json"), "utf8");
  const definitions = indexDefinitions.parse(JSON.parse(file));
  const production = { definitionsOf: () => definitions, simulatedWritesPerSecond: importRate };
  const cell = await startCell({
    id: "enterprise-a",
    services: ["api", "bulk"],
    tenants: [tenant],
    heapMb: 2_048,
    pace: "off",
    billed: true,
    production,
  });
  const router = await startRouter(folder, [cell]).catch(async (error: unknown) => {
    await cell.close();
    throw error;
  });
  try {
    const { billing } = cell;
    if (billing === undefined) throw new Error("nothing was counted");
    const book = await carrierBook(folder, rows);
    const importWhole = () => importOf(cell, router.url, book.file, book.mapping);
    const fresh = await counted(billing, rows, importWhole);
    const hot = billing
      .hot()
      .map(
        (h) => `${h.space.split("/documents/").at(-1)} ${JSON.stringify(h.prefix)}: ${h.writesPerSecond}/s`,
      );
    const unchanged = await counted(billing, rows, importWhole);
    const api = apiOf(cell);
    const first = await api.create("warm-up");
    await api.get(first.path);
    const created: { path: string; etag: string }[] = [];
    const times = async (work: (n: number) => Promise<unknown>) => {
      return counted(billing, repeats, async () => {
        for (let n = 0; n < repeats; n++) await work(n);
      });
    };
    const create = await times(async (n) => created.push(await api.create(`thing ${n}`)));
    const read = await times((n) => api.get(created[n]?.path ?? ""));
    const patch = await times((n) => api.patch(created[n] ?? { path: "", etag: "" }));
    const list = await times(() => api.get("/v1/items?limit=50"));
    const portfolio = await portfolioCost(billing, rows, api.get);
    const sinceIdle = await counted(billing, idle / 3_600, () => sleep(idle * 1_000));
    return {
      each: {
        create,
        patch,
        read,
        "list(50)": list,
        "portfolio, each item": portfolio,
        "import row, new": fresh,
        "import row, unchanged": unchanged,
        "idle, api and bulk, hour": sinceIdle,
      },
      hot,
      rows,
      rate: importRate,
    };
  } finally {
    await router.close();
    await cell.close();
  }
}

/** Rows a second of simulated time, as the manifest of a large cell allows. */
const importRate = 1_000;

async function counted(billing: BillingProxy, of: number, work: () => Promise<unknown>): Promise<Billed> {
  billing.reset();
  await work();
  const { reads, writes, deletes } = billing.billed();
  const each = (count: number) => Math.round((1_000 * count) / of) / 1_000;
  return { reads: each(reads), writes: each(writes), deletes: each(deletes) };
}

/** The whole count of a large book, by item. */
async function portfolioCost(billing: BillingProxy, items: number, get: (path: string) => Promise<Response>) {
  return counted(billing, items, async () => {
    for (let n = 0; n < 600; n++) {
      if ((await get("/v1/portfolio")).status === 200) return;
      await sleep(250);
    }
    throw new Error("the portfolio was not counted within 150 s");
  });
}

function apiOf(cell: Cell) {
  const call = async (method: string, path: string, body?: object, more: Record<string, string> = {}) => {
    const response = await fetch(`${cell.urls.api}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${cell.keys[tenant]}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...more,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  return {
    get: (path: string) => call("GET", path),
    async create(title: string) {
      const response = await call("POST", "/v1/items", { title, category: "art" });
      const { id } = item.parse(await response.json());
      return { path: `/v1/items/${id}`, etag: response.headers.get("etag") ?? "" };
    },
    patch: ({ path, etag }: { path: string; etag: string }) =>
      call(
        "PATCH",
        path,
        { title: "Changed" },
        { "if-match": etag, "content-type": "application/merge-patch+json" },
      ),
  };
}

async function importOf(cell: Cell, url: string, file: string, mapping: string): Promise<void> {
  const cli = join(root, "packages/fleet/bin/fleet.mjs");
  const args = ["import", file, "--map", mapping, "--tenant", tenant, "--url", url, "--json", "--full"];
  await run(process.execPath, [cli, ...args], {
    maxBuffer: 64 * 1024 * 1024,
    env: { PATH: process.env["PATH"], PROVENIQ_KEY: cell.keys[tenant] },
  });
}

function show({ reads, writes, deletes }: Billed): string {
  return `${reads} reads, ${writes} writes, ${deletes} deletes`.padEnd(44);
}
