import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { pageOf, putPages } from "@proveniq/analytics-sink/testing/outbox";
import { cellManifest, parseFile } from "@proveniq/contracts";
import { createWarehouse, openWarehouse, queryWarehouse } from "@proveniq/control-plane/analytics";
import { DatabasePool } from "@proveniq/db/pool";
import { startEmulator } from "@proveniq/local-cloud/emulator";
import { buildArtefact } from "../../apps/cell-api/build.ts";
import { cpuMs, freePort, startNode } from "../lib/process.ts";
import { median } from "../lib/stats.ts";

export const description =
  "Outbox pages into the warehouse, beside the library behind the Firebase extension";

/** What the sink promises. */
const bars = { requests_ratio: 1 / 20, cpu_ratio: 1 / 5, visible_p95_ms: 5_000 };
const root = fileURLToPath(new URL("../..", import.meta.url));
const peer = join(root, "bench/peers/sink-change-tracker.mjs");

interface Run {
  /** Events a second, without the stand-in's own processor time. */
  rate: number;
  cpuUs: number;
  requests: number;
}

/**
 * `--events` (20000) go through both, `--rounds` (3) times in turn, into the same stand-in: the sink from outbox pages of 500,
 * the extension's library by one call for each document, 16 at a time (`--peer-events`, 4000, of them). Then single changes
 * are committed for `--seconds` (15) and seen to arrive.
 */
export default async function run(args: readonly string[]): Promise<Record<string, number>> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: "string", default: "20000" },
      "peer-events": { type: "string", default: "4000" },
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "15" },
    },
  });
  const [events, peerEvents, rounds, seconds] = [
    values.events,
    values["peer-events"],
    values.rounds,
    values.seconds,
  ].map(Number);
  if (!existsSync(join(root, "bench/peers/node_modules/@firebaseextensions"))) {
    console.error("Not installed: the extension's library. Run: npm ci --prefix bench/peers");
    process.exit(2);
  }
  process.env["METADATA_SERVER_DETECTION"] = "none";
  const folder = await mkdtemp(join(tmpdir(), "bench-sink-"));
  const [rest, grpc] = [await freePort(), await freePort()];
  const [emulator] = await Promise.all([
    startEmulator({ port: await freePort(), heapMb: 1_024 }),
    buildArtefact(root, folder),
  ]);
  const standIn = await startStandIn(join(folder, "warehouse.duckdb"), rest, grpc);
  try {
    const ours: Run[] = [];
    const theirs: Run[] = [];
    for (let round = 0; round < (rounds ?? 1); round++) {
      theirs.push(await extension(standIn, peerEvents ?? 0));
      ours.push(await sink(standIn, emulator.host, folder, round, events ?? 0));
      const [a, b] = [ours.at(-1), theirs.at(-1)];
      console.log(
        `round ${round + 1}: sink ${Math.round(a?.rate ?? 0)} events/s at ${a?.cpuUs.toFixed(1)} µs, ` +
          `extension ${Math.round(b?.rate ?? 0)}/s at ${b?.cpuUs.toFixed(0)} µs`,
      );
    }
    const mid = (runs: Run[], figure: keyof Run) => {
      const sorted = runs.map((r) => r[figure]).sort((x, y) => x - y);
      return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
    };
    const visible = await latency(standIn, emulator.host, folder, seconds ?? 1);
    const figures = {
      events_s: Math.round(mid(ours, "rate")),
      ratio_extension: round2(mid(ours, "rate") / mid(theirs, "rate")),
      requests_ratio: Number((mid(ours, "requests") / mid(theirs, "requests")).toFixed(5)),
      cpu_us: round2(mid(ours, "cpuUs")),
      cpu_ratio: Number((mid(ours, "cpuUs") / mid(theirs, "cpuUs")).toFixed(4)),
      visible_p50_ms: median(visible),
      visible_p95_ms: Math.round(
        visible.sort((a, b) => a - b)[Math.floor(visible.length * 0.95)] ?? Number.NaN,
      ),
    };
    for (const [name, bar] of Object.entries(bars)) {
      const figure = figures[name as keyof typeof bars];
      console.log(`${name} ${figure} (at most ${bar}): ${figure <= bar ? "holds" : "DOES NOT HOLD"}`);
    }
    return figures;
  } finally {
    await standIn.stop();
    await emulator.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const round2 = (value: number): number => Math.round(value * 100) / 100;

/** The local warehouse as a process of its own, so that its work is in nobody's figures. */
async function startStandIn(file: string, restPort: number, grpcPort: number) {
  const entry = join(root, "packages/local-cloud/src/warehouse/main.ts");
  const started = startNode(entry, {}, { args: [file, String(restPort), String(grpcPort)] });
  const rest = `http://127.0.0.1:${restPort}`;
  for (let tries = 0; tries < 200; tries++) {
    if ((await fetch(`${rest}/health`).catch(() => undefined))?.ok) break;
    await sleep(50);
  }
  const bigquery = openWarehouse({ project: "central", endpoint: rest });
  await createWarehouse(bigquery, "central", {
    eu: "europe-west1",
    us: "us-central1",
    global: "us-central1",
  });
  await bigquery.createDataset("extension");
  // The extension's own change log table.
  const fields = ["event_id", "document_name", "document_id", "operation", "data", "old_data"].map(
    (name) => ({ name, type: "STRING" }),
  );
  await bigquery.dataset("extension").createTable("items_raw_changelog", {
    schema: { fields: [{ name: "timestamp", type: "TIMESTAMP" }, ...fields] },
  });
  const requests = async () => ((await (await fetch(rest)).json()) as { requests: number }).requests;
  return {
    rest,
    grpc: `127.0.0.1:${grpcPort}`,
    bigquery,
    requests,
    cpu: () => cpuMs(started.pid),
    stop: () => started.stop(),
  };
}
type StandIn = Awaited<ReturnType<typeof startStandIn>>;

/** Run a script that measures itself; its figures for each event, the stand-in's time taken out. */
async function measured(
  standIn: StandIn,
  script: string,
  args: readonly string[],
  known?: number,
  warm = 0,
): Promise<Run> {
  const [cpu, requests] = [await standIn.cpu(), await standIn.requests()];
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], {
    env: { PATH: process.env["PATH"], METADATA_SERVER_DETECTION: "none" },
  });
  const told = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as {
    events?: number;
    ms: number;
    cpuUs: number;
  };
  const events = told.events ?? known ?? 0;
  const share = events / (events + warm);
  const standInMs = ((await standIn.cpu()) - cpu) * share;
  return {
    rate: (events * 1000) / Math.max(told.ms - standInMs, told.cpuUs / 1000),
    cpuUs: told.cpuUs / events,
    requests: ((await standIn.requests()) - requests) / (events + warm),
  };
}

const extension = (standIn: StandIn, events: number) =>
  measured(standIn, peer, [standIn.rest, "central", String(events), "16"], events, 200);

async function sink(
  standIn: StandIn,
  emulator: string,
  folder: string,
  round: number,
  events: number,
): Promise<Run> {
  const project = `bench-sink-${round}`;
  const pool = new DatabasePool({ projectId: project, allow: ["eu"], emulatorHost: emulator });
  // One delivery more than is measured: it loads the clients.
  for (let n = 0; n < events + 5_000; n += 2_500) {
    await putPages(await pool.open("eu"), ...Array.from({ length: 5 }, () => pageOf(500)));
  }
  await pool.close();
  const script = fileURLToPath(new URL("./ours.ts", import.meta.url));
  return measured(standIn, script, [emulator, standIn.grpc, project, join(folder, "keys")], undefined, 5_000);
}

/** Milliseconds from the commit of a change to its row, with the sink as it runs in a cell. */
async function latency(
  standIn: StandIn,
  emulatorHost: string,
  folder: string,
  seconds: number,
): Promise<number[]> {
  const file = "infra/cells/eu/cell.json";
  const manifest = parseFile(cellManifest, file, await readFile(join(root, file), "utf8"));
  const project = "bench-sink-latency";
  const pool = new DatabasePool({ projectId: project, allow: ["eu-partners"], emulatorHost });
  const started = startNode(join(folder, "artefact/server.js"), {
    CELL_ID: "bench",
    CELL_MANIFEST: JSON.stringify({
      ...manifest,
      project,
      databases: [{ id: "eu-partners", location: "europe-west1" }],
    }),
    PROVENIQ_ENV: "development",
    ARTEFACT_DIGEST: "0".repeat(64),
    GIT_COMMIT: "bench",
    HOST: "127.0.0.1",
    PORT: String(await freePort()),
    LOG_LEVEL: "error",
    SERVICE: "sink",
    FIRESTORE_EMULATOR_HOST: emulatorHost,
    METADATA_SERVER_DETECTION: "none",
    CENTRAL_PROJECT: "central",
    WAREHOUSE_HOST: standIn.grpc,
    ANALYTICS_KEYS: join(folder, "latency-keys"),
  });
  const count = async () =>
    Number(
      (await queryWarehouse(standIn.bigquery, "SELECT COUNT(*) AS n FROM raw_eu.events WHERE cell = 'bench'"))
        .rows[0]?.[0],
    );
  try {
    const db = await pool.open("eu-partners");
    await putPages(db, pageOf(1));
    while ((await count()) < 1) await sleep(100);
    const committed: number[] = [];
    const seen: number[] = [];
    const end = performance.now() + seconds * 1000;
    const write = async () => {
      while (performance.now() < end) {
        await putPages(db, pageOf(1));
        committed.push(performance.now());
        await sleep(50 + Math.random() * 250);
      }
    };
    const watch = async () => {
      while (performance.now() < end || seen.length < committed.length) {
        const arrived = (await count()) - 1;
        while (seen.length < arrived) seen.push(performance.now());
        await sleep(10);
      }
    };
    await Promise.all([write(), watch()]);
    // Rows are not told apart: the nth seen is taken for the nth committed, which changes no sum.
    return committed.map((at, n) => (seen[n] ?? Number.NaN) - at);
  } finally {
    await started.stop();
    await pool.close();
  }
}
