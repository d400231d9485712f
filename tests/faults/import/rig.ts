import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { cellManifest, scope } from "@proveniq/contracts";
import { establishTenant } from "@proveniq/db/claims";
import { readOutbox } from "@proveniq/db/outbox";
import { DatabasePool } from "@proveniq/db/pool";
import { type Emulator, startEmulator } from "@proveniq/local-cloud/emulator";
import { type GuardedChild, spawnGuarded } from "@proveniq/local-cloud/process";
import { type Relay, startRelay } from "@proveniq/local-cloud/relay";
import { makeApiKey } from "@proveniq/tenant-context/credentials";
import { z } from "zod";
import { patiently } from "../../setup/patience.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const server = join(root, "apps/cell-api/src/server.ts");
const cli = join(root, "packages/fleet/bin/fleet.mjs");
const database = "enterprise-a";

export interface RigOptions {
  /**
   * A process that dies inside a transaction leaves its locks behind until the database gives the transaction up, after a
   * minute without a call. `wait`: as it is. `end`: the rig gives it up at once, for tests that have no minute.
   */
  deadTransactions: "wait" | "end";
}

/** A bulk process on an emulator of its own behind a relay, and the importing client, all to be killed. */
export interface ImportRig {
  readonly relay: Relay;
  /** SIGKILL the bulk process; another takes its place at once. */
  killServer(): Promise<void>;
  /** Cut the bulk process off from its database for so long. */
  cutDatabase(ms: number): Promise<void>;
  /** A new tenant with a key, and a file of so many rows to import into it. */
  newBook(rows: number): Promise<Book>;
  close(): Promise<void>;
}

export interface Book {
  tenant: string;
  rows: number;
  /** Run `fleet import` until it ends by itself; `kill` kills it, whereupon it is started again. */
  start(): RunningImport;
  /** What is in the database now. */
  look(): Promise<Found>;
}

export interface RunningImport {
  ended: Promise<{ runs: number; summary: Record<string, number> }>;
  kill(): void;
}

export interface Found {
  items: number;
  /** Items whose content is not what their row says, or that were written more than once. */
  wrong: string[];
  events: Record<string, number>;
  /** Items that have not exactly one event. */
  misreported: number;
}

export async function startRig({ deadTransactions }: RigOptions): Promise<ImportRig> {
  const folder = await mkdtemp(join(tmpdir(), "import-rig-"));
  const [emulatorPort, serverPort] = await freePorts(2);
  const emulator: Emulator = await startEmulator({ port: emulatorPort ?? 0, heapMb: 1_500 });
  const relay = await startRelay({ port: 0, target: emulator.host });
  const manifest = cellManifest.parse(
    JSON.parse(await readFile(join(root, "infra/cells/enterprise-a/cell.json"), "utf8")),
  );
  const pool = new DatabasePool({
    projectId: manifest.project,
    allow: [database],
    emulatorHost: emulator.host,
  });
  const url = `http://127.0.0.1:${serverPort}`;
  const environment = {
    PATH: process.env["PATH"],
    CELL_ID: "enterprise-a",
    CELL_MANIFEST: JSON.stringify(manifest),
    PROVENIQ_ENV: "development",
    ARTEFACT_DIGEST: "0".repeat(64),
    GIT_COMMIT: "test",
    PORT: String(serverPort),
    HOST: "127.0.0.1",
    LOG_LEVEL: "warn",
    FIRESTORE_EMULATOR_HOST: relay.host,
    METADATA_SERVER_DETECTION: "none",
    SERVICE: "bulk",
    INSTANCES: "1",
    IMPORT_PACE: "off",
  };
  let child: GuardedChild | undefined;
  let closing = false;
  let said = "";
  const serve = async () => {
    const started = spawnGuarded(process.execPath, [server], { env: environment });
    child = started;
    let ended = false;
    void started.exited.then(() => {
      ended = true;
    });
    started.stdout.resume();
    started.stderr.on("data", (text: Buffer) => {
      said = (said + text.toString()).slice(-2_000);
    });
    for (let n = 0; n < 600; n++) {
      if (ended) throw new Error(`the bulk process does not start:\n${said}`);
      const answer = await fetch(`${url}/health`).catch(() => undefined);
      if (answer?.ok === true) return;
      await sleep(50);
    }
    throw new Error("the bulk process is not ready within 30 s");
  };
  const givenUp = async () => {
    if (deadTransactions === "end") await endTransactions(emulator.host, manifest.project);
  };
  await serve();
  let tenants = 0;

  return {
    relay,
    async killServer() {
      const killed = child;
      if (killed === undefined || closing) return;
      killed.kill("SIGKILL");
      await killed.exited;
      await givenUp();
      await serve();
    },
    async cutDatabase(ms) {
      await relay.cut();
      await sleep(ms);
      await givenUp();
      await relay.restore();
    },
    async newBook(rows) {
      const tenant = `carrier-${++tenants}`;
      await patiently(() =>
        establishTenant(pool, {
          tenantId: tenant,
          databaseId: database,
          defaultDatabase: database,
          epoch: 1,
          copies: 2,
        }),
      );
      const { key, keyId, secretHash } = await makeApiKey("dev", tenant);
      const firestore = await pool.open(database);
      await firestore.doc(`tenants/${tenant}/apiKeys/${keyId}`).set({
        keyId,
        tenantId: tenant,
        environment: "dev",
        label: "Test",
        secretHash,
        scopes: scope.options,
        createdAt: new Date().toISOString(),
        expiresAt: null,
        revokedAt: null,
      });
      const file = join(folder, `${tenant}.csv`);
      const lines = Array.from({ length: rows }, (_, n) => `A-${n + 1},Thing ${n + 1},${n}.50\n`);
      await writeFile(file, `id,name,worth\n${lines.join("")}`);
      const map = join(folder, "mapping.json");
      await writeFile(map, JSON.stringify(mapping));
      const args = ["import", file, "--tenant", tenant, "--map", map, "--url", url, "--json"];
      return { tenant, rows, start: () => runImport(args, folder, key), look: () => look(pool, tenant) };
    },
    async close() {
      closing = true;
      child?.kill("SIGKILL");
      await pool.close();
      await relay.close();
      await emulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const mapping = {
  fields: {
    externalId: { column: "id" },
    title: { column: "name" },
    category: { constant: "other" },
    insuredValue: {
      column: "worth",
      unit: "major",
      number: { decimal: ".", grouping: "none" },
      currency: { constant: "EUR" },
    },
  },
};

/**
 * Give up every transaction that is under way; whoever calls this knows that all of them are dead. The emulator numbers
 * transactions one after the other: a kind byte and 64 bits, the lowest first.
 */
async function endTransactions(host: string, project: string): Promise<void> {
  const call = async (verb: string, body: object) => {
    const url = `http://${host}/v1/projects/${project}/databases/${database}/documents:${verb}`;
    const headers = { authorization: "Bearer owner", "content-type": "application/json" };
    return fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  };
  const begun = z
    .object({ transaction: z.string() })
    .parse(await (await call("beginTransaction", {})).json());
  const id = Buffer.from(begun.transaction, "base64");
  const newest = id.readBigUInt64LE(1);
  for (let back = 0n; back < 64n && back < newest; back++) {
    id.writeBigUInt64LE(newest - back, 1);
    // Those that have ended are refused.
    await (await call("rollback", { transaction: id.toString("base64") })).body?.cancel();
  }
}

function runImport(args: string[], folder: string, key: string): RunningImport {
  let child: GuardedChild | undefined;
  let runs = 0;
  const run = async (): Promise<{ runs: number; summary: Record<string, number> }> => {
    for (;;) {
      runs++;
      const each = spawnGuarded(process.execPath, [cli, ...args], {
        cwd: folder,
        env: { ...process.env, PROVENIQ_KEY: key },
      });
      child = each;
      let out = "";
      let err = "";
      each.stdout.on("data", (text: Buffer) => {
        out += text.toString();
      });
      each.stderr.on("data", (text: Buffer) => {
        err += text.toString();
      });
      const [{ code, signal }] = await Promise.all([
        each.exited,
        finished(each.stdout),
        finished(each.stderr),
      ]);
      if (code === 0) return { runs, summary: JSON.parse(out).import.counts };
      if (signal !== "SIGKILL") throw new Error(`the import ended with ${code}: ${out} ${err}`);
    }
  };
  return { ended: run(), kill: () => child?.kill("SIGKILL") };
}

async function look(pool: DatabasePool, tenant: string): Promise<Found> {
  const firestore = await pool.open(database);
  const { docs } = await firestore.collection(`tenants/${tenant}/items`).get();
  const wrong = docs.flatMap((doc) => {
    const { externalId, title, version, insuredValue } = JSON.parse(doc.get("body"));
    const n = Number(String(externalId).slice(2));
    const right = title === `Thing ${n}` && version === 1 && insuredValue.amountMinor === (n - 1) * 100 + 50;
    return right ? [] : [String(externalId)];
  });
  const events: Record<string, number> = {};
  const perItem = new Map<string, number>();
  for (const page of await readOutbox(firestore)) {
    if (page.tenantId !== tenant) continue;
    for (const { type, itemId } of page.events) {
      events[type] = (events[type] ?? 0) + 1;
      perItem.set(itemId, (perItem.get(itemId) ?? 0) + 1);
    }
  }
  const misreported = docs.filter((doc) => perItem.get(doc.id) !== 1).length;
  return { items: docs.length, wrong, events, misreported };
}

/** Ports below the range of outgoing connections that nobody holds. */
async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  for (let port = 20_700 + Math.floor(Math.random() * 60); found.length < count && port < 21_900; port++) {
    const probe = createServer();
    const free = await new Promise<boolean>((resolve) => {
      probe.once("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
    });
    if (free) found.push(port);
  }
  return found;
}
