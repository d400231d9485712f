import { execFile } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { DatabasePool } from "@proveniq/db/pool";
import { type Emulator, startEmulator } from "@proveniq/local-cloud/emulator";
import { cpuMs, freePort } from "../lib/process.ts";
import { type Book, documentsOf, itemsOf } from "./books.ts";
import { type Cell, peakRssMb, root, startCell, startRouter } from "./stack.ts";

const run = promisify(execFile);
const most = { maxBuffer: 64 * 1024 * 1024 };

const tenant = "carrier-a";
const database = "enterprise-a";

/** A router, and a cell that only imports. */
export interface Stack {
  folder: string;
  router: { url: string; close(): Promise<void> };
  cell: Cell;
  close(): Promise<void>;
}

export interface StackOptions {
  folder: string;
  heapMb: number;
  pace: "manifest" | "off";
  writesPerSecond?: number;
  billed?: boolean;
}

export async function startStack({ folder, ...options }: StackOptions): Promise<Stack> {
  const cell = await startCell({ id: "enterprise-a", services: ["bulk"], tenants: [tenant], ...options });
  await warmUp(cell.emulator);
  const router = await startRouter(folder, [cell]);
  return {
    folder,
    router,
    cell,
    close: async () => {
      await router.close();
      await cell.close();
    },
  };
}

/** Write to a fresh emulator, the same for every contender, until Java has compiled what they all run; nothing of it stays. */
async function warmUp({ host }: Emulator): Promise<void> {
  const pool = new DatabasePool({ projectId: "warm-up", allow: [database], emulatorHost: host });
  const firestore = await pool.open(database);
  const documents = Array.from({ length: 500 }, (_, n) => firestore.doc(`warm-up/${n}`));
  for (let round = 0; round < 10; round++) {
    for (const change of ["create", "delete"] as const) {
      const batch = firestore.batch();
      for (const each of documents) {
        if (change === "create") batch.create(each, { text: "a".repeat(300), at: new Date(), number: round });
        else batch.delete(each);
      }
      await batch.commit();
    }
  }
  await pool.close();
}

export interface Ours {
  rowsPerSecond: number;
  cpuUsPerRow: number;
  peakRssMb: number;
}

/**
 * Import a book through router and cell, by `fleet import`, on a fresh emulator. A cell runs all day: a `warm` one has just seen a dry
 * run of the same book, as the guide for partners has it; a `cold` one was started for this.
 */
export async function ours(book: Book, cell: "warm" | "cold", options: StackOptions): Promise<Ours> {
  const stack = await startStack(options);
  const pid = stack.cell.pids["bulk"] ?? 0;
  try {
    if (cell === "warm") await importBook(stack, book, ["--dry-run"]);
    const before = await cpuMs(pid);
    const seconds = await importBook(stack, book);
    const cpu = (await cpuMs(pid)) - before;
    const stored = await countItems(stack.cell);
    if (stored !== book.rows) throw new Error(`${stored} of ${book.rows} rows are there`);
    return {
      rowsPerSecond: book.rows / seconds,
      cpuUsPerRow: (cpu * 1000) / book.rows,
      peakRssMb: await peakRssMb(pid),
    };
  } finally {
    await stack.close();
  }
}

/** Seconds that `fleet import` needs, its own start left out. */
export async function importBook(stack: Stack, book: Book, more: readonly string[] = []): Promise<number> {
  return (await timedImport(stack, book, more)).seconds;
}

/** The same, and how long all that came after the last row took. */
export async function timedImport(stack: Stack, book: Book, more: readonly string[] = []) {
  const cli = join(root, "packages/fleet/bin/fleet.mjs");
  const args = [
    "import",
    book.file,
    "--map",
    book.mapping,
    "--tenant",
    tenant,
    "--url",
    stack.router.url,
    "--json",
  ];
  const env = { PATH: process.env["PATH"], PROVENIQ_KEY: stack.cell.keys[tenant] };
  const { stdout } = await run(process.execPath, [cli, ...args, ...more], { ...most, env });
  const { import: job, seconds } = JSON.parse(stdout);
  if (job.counts.failed > 0) throw new Error(`rows were refused: ${job.summary}`);
  return {
    seconds: Number(seconds.sending) + Number(seconds.ending),
    ending: Number(seconds.ending),
    counts: job.counts,
  };
}

async function countItems({ pool, databaseId }: Cell): Promise<number> {
  const items = (await pool.open(databaseId)).collection(`tenants/${tenant}/items`);
  return (await items.count().get()).data().count;
}

/** The bare BulkWriter with the same documents, which it is given ready-made: no validation, event, cursor or claim. */
export async function bulkWriter(book: Book, heapMb: number): Promise<number> {
  const documents = await documentsOf(book);
  const emulator = await startEmulator({ port: await freePort(), heapMb });
  await warmUp(emulator);
  const pool = new DatabasePool({ projectId: "bench", allow: [database], emulatorHost: emulator.host });
  try {
    const firestore = await pool.open(database);
    const items = firestore.collection(`tenants/${tenant}/items`);
    await items.doc("warm").get();
    const started = performance.now();
    const writer = firestore.bulkWriter({ throttling: false });
    const refused: unknown[] = [];
    for (const document of documents) {
      writer
        .create(items.doc(randomBytes(16).toString("hex")), document)
        .catch((error: unknown) => refused.push(error));
    }
    await writer.close();
    const seconds = (performance.now() - started) / 1000;
    if (refused.length > 0)
      throw new Error(`${refused.length} documents were refused: ${String(refused[0])}`);
    return book.rows / seconds;
  } finally {
    await pool.close();
    await emulator.stop();
  }
}

export const importers = ["csv-firestore", "firestore-export-import"] as const;

/** Exits 2 and says what is missing when an importer is not installed. */
export function requireImporters(): void {
  const missing = importers.filter((name) => !existsSync(join(root, "bench/peers/node_modules", name)));
  if (missing.length === 0) return;
  console.error(`Not installed: ${missing.join(", ")}. Run: npm ci --prefix bench/peers`);
  process.exit(2);
}

/** One of the importers on npm, in a process of its own, with the book in the form that it takes. */
export async function importer(
  name: (typeof importers)[number],
  book: Book,
  { folder, heapMb }: { folder: string; heapMb: number },
): Promise<number> {
  const emulator = await startEmulator({ port: await freePort(), heapMb });
  await warmUp(emulator);
  try {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const account = { project_id: "bench", client_email: "bench@bench.test", private_key: pem };
    let file = book.file;
    if (name === "firestore-export-import") {
      const documents = await itemsOf(book);
      file = join(folder, "documents.json");
      const named = Object.fromEntries(documents.map((d) => [randomBytes(16).toString("hex"), d]));
      await writeFile(file, JSON.stringify({ items: named }));
    }
    const { stdout } = await run(process.execPath, [join(root, `bench/peers/import-${name}.mjs`), file], {
      ...most,
      env: {
        PATH: process.env["PATH"],
        FIRESTORE_EMULATOR_HOST: emulator.host,
        METADATA_SERVER_DETECTION: "none",
        FIREBASE_SERVICE_ACC: JSON.stringify(account),
        FIREBASE_PRIVATE_KEY: pem,
      },
    });
    const { rows, seconds } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    if (rows !== book.rows) throw new Error(`${name} wrote ${rows} of ${book.rows} rows`);
    return rows / seconds;
  } finally {
    await emulator.stop();
  }
}
