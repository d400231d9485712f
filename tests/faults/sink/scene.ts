import { createHmac } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { asRecords, createWarehouse, openWarehouse, queryWarehouse } from "@proveniq/control-plane/analytics";
import { DatabasePool } from "@proveniq/db/pool";
import { type ChildExit, type GuardedChild, spawnGuarded } from "@proveniq/local-cloud/process";
import { freePort } from "../../setup/ports.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
export interface FaultOptions {
  /** `host:port` of a Firestore emulator. */
  emulatorHost: string;
  project: string;
  /** Unlike any other in that emulator. */
  database: string;
  events: number;
  /** How often a process is killed with SIGKILL. */
  kills: number;
  /** Percent of the answers to committed appends that are lost. */
  lostPercent: number;
  /** How long from one kill to the next, in milliseconds. */
  everyMs: number;
}

export interface FaultResult {
  committed: number;
  arrived: number;
  /** Committed events of which no row arrived. */
  lost: number;
  /** Rows that are there more than once, and rows that no committed event explains. */
  doubled: number;
  unexplained: number;
  waiting: number;
  killed: Record<string, number>;
}

/** A process that is started again whenever it was killed. */
class Restarted {
  readonly #start: () => GuardedChild;
  #child: GuardedChild;
  #wanted = true;
  /** The exit code of a process that ended by itself. */
  done: number | null = null;

  constructor(start: () => GuardedChild) {
    this.#start = start;
    this.#child = this.#watch();
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    this.#wanted = false;
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  #watch(): GuardedChild {
    const child = this.#start();
    child.stdout.resume();
    child.stderr.pipe(process.stderr, { end: false });
    void child.exited.then(({ code, signal }: ChildExit) => {
      if (signal === "SIGKILL" && this.#wanted) this.#child = this.#watch();
      else this.done = code;
    });
    return child;
  }
}

/** Write events as a cell does while sink, cell and warehouse are killed, then compare event by event. */
export async function killAndCompare(options: FaultOptions): Promise<FaultResult> {
  const { emulatorHost, project, database, events, kills, lostPercent, everyMs } = options;
  const folder = await mkdtemp(join(tmpdir(), "sink-faults-"));
  const [rest, grpc, port] = [await freePort(), await freePort(), await freePort()];
  const node =
    (args: string[], env: NodeJS.ProcessEnv = {}, cwd = root) =>
    () =>
      spawnGuarded(process.execPath, args, { cwd, env: { PATH: process.env["PATH"], ...env } });
  const file = join(folder, "warehouse.duckdb");
  const warehouse = new Restarted(
    node([
      "packages/local-cloud/src/warehouse/main.ts",
      file,
      String(rest),
      String(grpc),
      String(lostPercent),
    ]),
  );
  const running = [warehouse];
  const pool = new DatabasePool({ projectId: project, allow: [database], emulatorHost });
  try {
    const bigquery = openWarehouse({ project: "central", endpoint: `http://127.0.0.1:${rest}` });
    await until(async () => (await fetch(`http://127.0.0.1:${rest}/health`)).ok);
    await createWarehouse(bigquery, "central", {
      eu: "europe-west1",
      us: "us-central1",
      global: "us-central1",
    });

    const manifest = JSON.parse(await readFile(join(root, "infra/cells/eu/cell.json"), "utf8"));
    const sink = new Restarted(
      node(
        ["server.js"],
        {
          CELL_ID: "eu",
          CELL_MANIFEST: JSON.stringify({
            ...manifest,
            project,
            databases: [{ id: database, location: "europe-west1" }],
          }),
          PROVENIQ_ENV: "development",
          ARTEFACT_DIGEST: "0".repeat(64),
          GIT_COMMIT: "faults",
          HOST: "127.0.0.1",
          PORT: String(port),
          LOG_LEVEL: "silent",
          SERVICE: "sink",
          SINK_LEASE_MS: "1000",
          FIRESTORE_EMULATOR_HOST: emulatorHost,
          METADATA_SERVER_DETECTION: "none",
          CENTRAL_PROJECT: "central",
          WAREHOUSE_HOST: `127.0.0.1:${grpc}`,
          ANALYTICS_KEYS: join(folder, "keys"),
        },
        join(root, "apps/cell-api/dist/artefact"),
      ),
    );
    const writer = new Restarted(
      node(["tests/faults/sink/writer.ts", emulatorHost, project, database, String(events)]),
    );
    running.push(sink, writer);

    const victims = { sink, warehouse, cell: writer };
    const killed: Record<string, number> = { sink: 0, warehouse: 0, cell: 0 };
    const names = ["sink", "warehouse", "cell", "sink", "warehouse"] as const;
    for (let n = 0; n < kills; n++) {
      // Seeded: spread over every moment of a delivery.
      await sleep(everyMs * (0.3 + (1.4 * ((n * 7_919) % 101)) / 101));
      const turn = names[n % names.length] ?? "sink";
      // A cell that has written everything has ended.
      const name = turn === "cell" && writer.done !== null ? "sink" : turn;
      victims[name].kill();
      killed[name] = (killed[name] ?? 0) + 1;
    }

    const db = await pool.open(database);
    await until(async () => ended(writer) && (await db.collection("outbox").select().get()).empty, 600_000);
    // A delivery is whole in the warehouse before its pages go.
    const rows = await until(() => queryWarehouse(bigquery, "SELECT row_id FROM raw_eu.events"));
    const actual = asRecords(rows).map((r) => String(r["row_id"]));
    const receipts = await db.collection("committed").get();
    const expected = await expectedRows(
      receipts.docs.map((d) => [d.id, Number(d.get("events"))]),
      join(folder, "keys"),
    );
    const seen = new Set(actual);
    const known = new Set(expected.flat());
    return {
      committed: expected.length,
      arrived: actual.length,
      lost: expected.filter((forms) => !forms.some((f) => seen.has(f))).length,
      doubled: actual.length - seen.size,
      unexplained: [...seen].filter((id) => !known.has(id)).length,
      waiting: (await db.collection("outbox").select().get()).size,
      killed,
    };
  } finally {
    await Promise.all(running.map((process) => process.stop()));
    await pool.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** True when a process has ended well; throws when it has not. */
function ended({ done }: Restarted): boolean {
  if (done !== null && done !== 0) throw new Failed(`the writer ended with ${done}`);
  return done === 0;
}

/** Nothing to wait for any more. */
class Failed extends Error {}

/** The row ids that each committed event may have: one for each day whose key is there (a run may cross midnight). */
async function expectedRows(receipts: [string, number][], keysFolder: string): Promise<string[][]> {
  const files = (await readdir(keysFolder)).filter((f) => f.endsWith(".key"));
  const keys = await Promise.all(files.map((f) => readFile(join(keysFolder, f))));
  return receipts.flatMap(([writeId, events]) =>
    Array.from({ length: events }, (_, n) =>
      keys.map((key) =>
        createHmac("sha256", key)
          .update(["row", `${writeId}.${n}`, "0"].join("\0"))
          .digest()
          .subarray(0, 16)
          .toString("base64url"),
      ),
    ),
  );
}

/** Ask again and again until it gives something, through processes that are down for a moment. */
async function until<T>(ask: () => Promise<T>, withinMs = 60_000): Promise<T> {
  const end = Date.now() + withinMs;
  for (;;) {
    const answer = await ask().catch((error: unknown) => {
      if (error instanceof Failed) throw error;
      return undefined;
    });
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error("it did not come about in time");
    await sleep(200);
  }
}
