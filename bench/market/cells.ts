import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { finished } from "node:stream/promises";
import type { CellManifest } from "@proveniq/contracts";
import { MarketReader } from "@proveniq/db/market/reader";
import { DatabasePool } from "@proveniq/db/pool";
import { type Emulator, startEmulator } from "@proveniq/local-cloud/emulator";
import { replicatorFlags } from "@proveniq/local-cloud/fleet";
import { type GuardedChild, spawnGuarded } from "@proveniq/local-cloud/process";
import { freePort } from "../lib/process.ts";

export const central = { project: "bench-central", database: "market" };

/** One cell: an emulator of its own, the real replicator as a process, and the reader that its API would use. */
export interface BenchCell {
  id: string;
  /** Resident memory of the replicator in MB, as often as `sample` was called. */
  rss: number[];
  start(): void;
  sample(): Promise<void>;
  /** The newest sequence that the cell would answer with; 0 while it cannot say. */
  sequence(): Promise<number>;
  /** The median that the cell would answer for a key; undefined while it cannot say. */
  median(key: string): Promise<number | undefined>;
  reader: MarketReader;
  /** Ends the replicator; answers how many documents of the centre it has read. */
  end(): Promise<number>;
  close(): Promise<void>;
}

/** `artefact`: the built folder. Nothing runs in the cell before `start`. */
export async function benchCell(
  n: number,
  options: { manifest: CellManifest; artefact: string; centralHost: string; heapMb: number },
): Promise<BenchCell> {
  const { manifest, artefact, centralHost, heapMb } = options;
  const id = `bench-${n}`;
  const emulator: Emulator = await startEmulator({ port: await freePort(), heapMb });
  const databaseId = manifest.marketDatabase.id;
  const pool = new DatabasePool({
    projectId: manifest.project,
    allow: [databaseId],
    emulatorHost: emulator.host,
    readOnly: true,
  });
  const reader = new MarketReader({ open: () => pool.open(databaseId) });
  const rss: number[] = [];
  let child: GuardedChild | undefined;
  let reads = 0;
  return {
    id,
    rss,
    reader,
    start() {
      child = spawnGuarded(process.execPath, [...replicatorFlags, "server.js"], {
        cwd: artefact,
        env: {
          PATH: process.env["PATH"],
          SERVICE: "replicate",
          CELL_ID: id,
          CELL_MANIFEST: JSON.stringify(manifest),
          PROVENIQ_ENV: "development",
          ARTEFACT_DIGEST: "0".repeat(64),
          GIT_COMMIT: "bench",
          REPLICA_EMULATOR_HOST: emulator.host,
          CENTRAL_EMULATOR_HOST: centralHost,
          CENTRAL_PROJECT: central.project,
          CENTRAL_MARKET_DATABASE: central.database,
          METADATA_SERVER_DETECTION: "none",
        },
      });
      child.stderr.pipe(process.stderr, { end: false });
      createInterface({ input: child.stdout }).on("line", (line) => {
        // It says how much it has read of the centre when it stops.
        const found = /"reads":([0-9]+)/.exec(line);
        if (found !== null) reads = Number(found[1]);
      });
    },
    async sample() {
      if (child?.pid === undefined) return;
      const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
      const kb = /VmRSS:\s+([0-9]+) kB/.exec(status)?.[1];
      if (kb !== undefined) rss.push(Number(kb) / 1024);
    },
    sequence: () =>
      reader.status().then(
        (status) => status.sequence,
        () => 0,
      ),
    median: (key) =>
      reader.values([key]).then(
        ({ values }) => values.get(key)?.medianMinor,
        () => undefined,
      ),
    async end() {
      if (child === undefined) return 0;
      const printed = finished(child.stdout);
      child.kill("SIGTERM");
      await Promise.all([child.exited, printed]);
      return reads;
    },
    async close() {
      child?.kill("SIGKILL");
      reader.close();
      await pool.close();
      await emulator.stop();
    },
  };
}
