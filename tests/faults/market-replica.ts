import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { cellManifest, type MarketValue, parseFile } from "@proveniq/contracts";
import { publishMarket, renewMarket } from "@proveniq/control-plane/market";
import { BucketDigests, contentsAt } from "@proveniq/db/market/centre";
import { type ReplicaScan, scanReplica } from "@proveniq/db/market/drift";
import { MarketPublishing } from "@proveniq/db/market/publishing";
import { DatabasePool } from "@proveniq/db/pool";
import { startEmulator } from "@proveniq/local-cloud/emulator";
import { type GuardedChild, spawnGuarded } from "@proveniq/local-cloud/process";
import { startRelay } from "@proveniq/local-cloud/relay";
import { buildArtefact } from "../../apps/cell-api/build.ts";
import { freePort } from "../setup/ports.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = parseFile(
  cellManifest,
  "infra/cells/eu/cell.json",
  readFileSync(join(root, "infra/cells/eu/cell.json"), "utf8"),
);
const central = { project: "market-central", database: "market" };

/** A book of values that all differ from those of another round. */
export const book = (count: number, round: number): Map<string, MarketValue> =>
  new Map(
    Array.from({ length: count }, (_, n) => [
      `stone:${n}`,
      {
        marketKey: `stone:${n}`,
        currency: "USD",
        medianMinor: 1_000 + round,
        p10Minor: 0,
        p90Minor: 1_000_000,
        sampleSize: 5,
        asOf: "2026-11-01",
      },
    ]),
  );

/**
 * A centre and one cell's replica on an emulator of their own, the latter behind a relay, and the real replicator: a
 * process of the built artefact.
 */
export async function startReplica() {
  process.env["METADATA_SERVER_DETECTION"] = "none";
  const folder = await mkdtemp(join(tmpdir(), "market-faults-"));
  const [emulator] = await Promise.all([
    startEmulator({ port: await freePort(), heapMb: 512 }),
    buildArtefact(root, folder),
  ]);
  const relays = {
    central: await startRelay({ port: await freePort(), target: emulator.host }),
    cell: await startRelay({ port: await freePort(), target: emulator.host }),
  };
  const poolOf = (projectId: string, databaseId: string) =>
    new DatabasePool({ projectId, allow: [databaseId], emulatorHost: emulator.host });
  const pools = {
    central: poolOf(central.project, central.database),
    cell: poolOf(manifest.project, manifest.marketDatabase.id),
  };
  const db = await pools.cell.open(manifest.marketDatabase.id);
  const centre = new MarketPublishing(() => pools.central.open(central.database));
  let child: GuardedChild | undefined;
  let output = "";

  return {
    relays,
    db,
    publish: (values: ReadonlyMap<string, MarketValue>) =>
      publishMarket(centre, values, { maxWithdrawnPercent: 100 }),
    renew: () => renewMarket(centre),
    /** Start a replicator; one that runs already is left to run. */
    start(): void {
      output = "";
      child = spawnGuarded(process.execPath, ["server.js"], {
        cwd: join(folder, "artefact"),
        env: {
          PATH: process.env["PATH"],
          SERVICE: "replicate",
          CELL_ID: "eu",
          CELL_MANIFEST: JSON.stringify(manifest),
          PROVENIQ_ENV: "development",
          ARTEFACT_DIGEST: "0".repeat(64),
          GIT_COMMIT: "test",
          REPLICA_EMULATOR_HOST: relays.cell.host,
          CENTRAL_EMULATOR_HOST: relays.central.host,
          CENTRAL_PROJECT: central.project,
          CENTRAL_MARKET_DATABASE: central.database,
          MARKET_LEASE_MS: "400",
          METADATA_SERVER_DETECTION: "none",
        },
      });
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (text: Buffer) => {
          output = (output + text.toString()).slice(-4_000);
        });
      }
    },
    /** `kill -9`, or whatever signal. Resolves when the process has ended. */
    async end(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
      const ending = child;
      child = undefined;
      ending?.kill(signal);
      await ending?.exited;
    },
    /** The replica as it is stored, seen while it stood still. */
    async scan(): Promise<ReplicaScan> {
      for (;;) {
        const scan = await scanReplica(db);
        if (scan !== undefined) return scan;
      }
    },
    /** Sequence by key of what is stored now. */
    async sequences(): Promise<Map<string, number>> {
      const { docs } = await db.collection("values").select("sequence").get();
      return new Map(docs.map((doc) => [doc.id, Number(doc.get("sequence"))]));
    },
    /** Wait until the replica is where the centre is, and answer how it differs from it: not at all, it is hoped. */
    async settled(withinMs = 20_000): Promise<{ differing: number[]; missing: number; strays: string[] }> {
      const head = await centre.published.head();
      if (head === undefined) throw new Error("nothing is published");
      const until = Date.now() + withinMs;
      for (;;) {
        const scan = await scanReplica(db);
        const { state } = scan ?? {};
        if (
          scan !== undefined &&
          state?.sequence === head.sequence &&
          state.lineage === head.lineage &&
          state.rebase === null
        ) {
          const values = await contentsAt(centre.published, head);
          const digests = new BucketDigests();
          for (const value of values.values()) digests.add(value);
          const { strays } = scan;
          return { differing: scan.digests.differing(digests), missing: values.size - scan.values, strays };
        }
        if (Date.now() > until) {
          throw new Error(
            `the replica is at ${JSON.stringify(state)}, the centre at ${head.sequence}:\n${output}`,
          );
        }
        await sleep(50);
      }
    },
    async close(): Promise<void> {
      await this.end();
      await Promise.all([
        pools.central.close(),
        pools.cell.close(),
        relays.central.close(),
        relays.cell.close(),
      ]);
      await emulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type Replica = Awaited<ReturnType<typeof startReplica>>;

/** Numbers from 0 up to 1 that are the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Kill the replicator with SIGKILL again and again, each time after a seeded number of its calls to the cell's database,
 * while it applies pages, starts from a base generation, or sweeps. Answers every value that was ever seen to go back
 * in sequence, and how often the replica was caught in the middle of something.
 */
export async function killRepeatedly(
  replica: Replica,
  options: { kills: number; seed: number; values: number },
) {
  const next = random(options.seed);
  const wentBack: string[] = [];
  let midway = 0;
  let round = 0;
  let lineages = 0;
  let before = new Map<string, number>();
  await replica.publish(book(options.values, round));
  for (let kill = 0; kill < options.kills; kill++) {
    round++;
    // Most rounds change some values and withdraw others; now and then everything starts anew.
    const kept = Math.floor(options.values * (0.5 + next() / 2));
    await replica.publish(book(kept, round));
    const { state } = await replica.scan();
    if (kill % 5 === 4) {
      await replica.renew();
      lineages++;
    }
    const calls = replica.relays.cell.counters().calls + 2 + Math.floor(next() * 14);
    replica.start();
    const until = Date.now() + 3_000;
    while (replica.relays.cell.counters().calls < calls && Date.now() < until) await sleep(1);
    await sleep(Math.floor(next() * 15));
    await replica.end();
    const scan = await replica.scan();
    const now = await replica.sequences();
    if (scan.state.rebase !== null || scan.state.sequence !== state.sequence) midway++;
    for (const [key, sequence] of now) if (sequence < (before.get(key) ?? 0)) wentBack.push(key);
    before = now;
  }
  replica.start();
  return { wentBack, midway, lineages };
}
