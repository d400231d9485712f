import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { cellManifest, claim, type DomainEvent, scope, tenantLocator } from "@proveniq/contracts";
import { decodePage } from "@proveniq/db/outbox";
import { DatabasePool } from "@proveniq/db/pool";
import { startEmulator } from "@proveniq/local-cloud/emulator";
import { makeApiKey } from "@proveniq/tenant-context/credentials";
import { z } from "zod";
import { shareEnvironment } from "../../setup/environment.ts";
import { freePort } from "../../setup/ports.ts";
import type { Stored } from "./book.ts";
import type { Held, Owned } from "./model.ts";
import { Server } from "./server.ts";
import { eventLine } from "./world.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const database = "enterprise-a";

/** What the hunt sets so that small files have many pages. Cells accept it in development alone. */
export interface Limits {
  pageRows: number;
  callMs: number;
  buckets: number;
  inFlight: number;
  few: number;
}

export interface Tenant {
  id: string;
  key: string;
}

/** A cell of real processes over an emulator of its own: one for items, others for imports. */
export class Stack {
  readonly #emulator: Awaited<ReturnType<typeof startEmulator>>;
  readonly #pool: DatabasePool;
  readonly #project: string;
  readonly #folder: string;
  readonly #servers: Server[];
  #tenants = 0;

  private constructor(
    emulator: Awaited<ReturnType<typeof startEmulator>>,
    pool: DatabasePool,
    project: string,
    folder: string,
    servers: Server[],
  ) {
    this.#emulator = emulator;
    this.#pool = pool;
    this.#project = project;
    this.#folder = folder;
    this.#servers = servers;
  }

  /** `limits`: of each of the instances of bulk; two instances may have different ones, as while a deploy runs. */
  static async start(limits: readonly Limits[]): Promise<Stack> {
    shareEnvironment();
    const folder = await mkdtemp(join(tmpdir(), "hunt-imports-"));
    const base = cellManifest.parse(
      JSON.parse(await readFile(join(root, "infra/cells/enterprise-a/cell.json"), "utf8")),
    );
    const manifest = { ...base, quota: { tenantRequestsPerSecond: 100_000, personRequestsPerSecond: 1_000 } };
    const emulator = await startEmulator({ port: await freePort(), heapMb: 1_500 });
    const pool = new DatabasePool({
      projectId: manifest.project,
      allow: [database],
      emulatorHost: emulator.host,
    });
    const environment = {
      PATH: process.env["PATH"],
      CELL_ID: "enterprise-a",
      CELL_MANIFEST: JSON.stringify(manifest),
      PROVENIQ_ENV: "development",
      ARTEFACT_DIGEST: "0".repeat(64),
      GIT_COMMIT: "hunt",
      HOST: "127.0.0.1",
      LOG_LEVEL: "error",
      FIRESTORE_EMULATOR_HOST: emulator.host,
      METADATA_SERVER_DETECTION: "none",
      INSTANCES: "1",
      IMPORT_PACE: "off",
    };
    const servers = [new Server({ ...environment, SERVICE: "api", PORT: String(await freePort()) })];
    for (const each of limits) {
      const own = { SERVICE: "bulk", PORT: String(await freePort()), IMPORT_LIMITS: JSON.stringify(each) };
      servers.push(new Server({ ...environment, ...own }));
    }
    await Promise.all(servers.map((server) => server.start()));
    return new Stack(emulator, pool, manifest.project, folder, servers);
  }

  /** Where a service is; `bulk` has several instances. */
  url(service: "api" | "bulk", instance = 0): string {
    return this.#server(service === "api" ? 0 : 1 + (instance % (this.#servers.length - 1))).url;
  }

  /** What the processes logged about a call. */
  logOf(traceId: string): string {
    return this.#servers.flatMap((server) => server.linesWith(traceId)).join("\n");
  }

  /** SIGKILL an instance of bulk; another takes its place. Locks of what died are given up. */
  async killBulk(instance: number): Promise<void> {
    const server = this.#server(1 + (instance % (this.#servers.length - 1)));
    await server.kill();
    await this.#endTransactions();
    await server.start();
  }

  get firestore() {
    return this.#pool.open(database);
  }

  /** New tenants with their keys. */
  async newTenants(count: number): Promise<Tenant[]> {
    const firestore = await this.firestore;
    const batch = firestore.batch();
    const tenants: Tenant[] = [];
    for (let n = 0; n < count; n++) {
      const id = `hunted-${++this.#tenants}`;
      const { key, keyId, secretHash } = await makeApiKey("dev", id);
      const ref = firestore.doc(`tenants/${id}`);
      batch.set(
        ref.collection("claims").doc("0"),
        claim.parse({ tenantId: id, state: "active", epoch: 1, copies: 1 }),
      );
      batch.set(ref, tenantLocator.parse({ tenantId: id, databaseId: database }));
      batch.set(ref.collection("apiKeys").doc(keyId), {
        keyId,
        tenantId: id,
        environment: "dev",
        label: "Hunt",
        secretHash,
        scopes: scope.options,
        createdAt: new Date().toISOString(),
        expiresAt: null,
        revokedAt: null,
      });
      tenants.push({ id, key });
    }
    await batch.commit();
    return tenants;
  }

  /** The items of one tenant as they are at one moment, by external id. */
  async held(tenant: Tenant, things: readonly string[]): Promise<Map<string, Held>> {
    const names = new Map(things.map((thing) => [itemIdOf(thing), thing]));
    const { docs } = await (await this.firestore).collection(`tenants/${tenant.id}/items`).get();
    return new Map(docs.map((doc) => [names.get(doc.id) ?? `item ${doc.id}`, heldOf(doc.data())]));
  }

  /** All items and events in the database, by tenant and external id. */
  async stored(things: readonly string[]): Promise<Map<string, Map<string, Stored>>> {
    const firestore = await this.firestore;
    const found = new Map<string, Map<string, Stored>>();
    const names = new Map(things.map((thing) => [itemIdOf(thing), thing]));
    const of = (tenant: string, name: string) => {
      const book = found.get(tenant) ?? new Map<string, Stored>();
      found.set(tenant, book);
      const known = book.get(name) ?? { held: undefined, events: [] };
      return { book, known };
    };
    for (const doc of (await firestore.collectionGroup("items").get()).docs) {
      const tenant = doc.ref.parent.parent?.id ?? "";
      const held = heldOf(doc.data());
      const name = names.get(doc.id) ?? `item ${doc.id}`;
      const { book, known } = of(tenant, name);
      book.set(name, { ...known, held });
    }
    for (const doc of (await firestore.collection("outbox").get()).docs) {
      const page = decodePage(doc.data());
      for (const event of page.events) {
        const name = names.get(event.itemId) ?? `item ${event.itemId}`;
        const { book, known } = of(page.tenantId, name);
        const { type, via, before, after } = event;
        const wrong = addUp(event) ? "" : ` with wrong deltas ${JSON.stringify(event.deltas)}`;
        book.set(name, { ...known, events: [...known.events, eventLine(type, via, before, after) + wrong] });
      }
    }
    return found;
  }

  /** Processor time of all that runs here, in seconds: on a machine that others use too, it tells what a case costs. */
  async cpuSeconds(): Promise<number> {
    const pids = [process.pid, this.#emulator.pid, ...this.#servers.map((server) => server.pid)];
    const each = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")));
    return each.reduce((sum, stat) => {
      // The second field is the program's name in brackets and may hold blanks.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return sum + (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
    }, 0);
  }

  /** Forget everything. */
  async clear(): Promise<void> {
    const url = `http://${this.#emulator.host}/emulator/v1/projects/${this.#project}/databases/${database}/documents`;
    const answer = await fetch(url, { method: "DELETE" });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`the emulator did not forget: ${answer.status}`);
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()));
    await this.#pool.close();
    await this.#emulator.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #server(n: number): Server {
    const server = this.#servers[n];
    if (server === undefined) throw new Error("there is no such server");
    return server;
  }

  /**
   * A process that dies inside a transaction leaves locks until the database gives that transaction up, after a minute. Give
   * up all that are under way at once: those of the living are begun anew by their clients.
   */
  async #endTransactions(): Promise<void> {
    const call = (verb: string, body: object) =>
      fetch(
        `http://${this.#emulator.host}/v1/projects/${this.#project}/databases/${database}/documents:${verb}`,
        {
          method: "POST",
          headers: { authorization: "Bearer owner", "content-type": "application/json" },
          body: JSON.stringify(body),
        },
      );
    const begun = z
      .object({ transaction: z.string() })
      .parse(await (await call("beginTransaction", {})).json());
    const newest = Buffer.from(begun.transaction, "base64").readBigUInt64LE(1);
    const ends: Promise<void>[] = [];
    for (let back = 0n; back < 200n && back < newest; back++) {
      const id = Buffer.from(begun.transaction, "base64");
      id.writeBigUInt64LE(newest - back, 1);
      // Those that have ended are refused.
      ends.push(
        call("rollback", { transaction: id.toString("base64") }).then((answer) => answer.body?.cancel()),
      );
    }
    await Promise.all(ends);
  }
}

/** The id of a thing of a book: made of the partner's own, as every version has to make it. */
export function itemIdOf(externalId: string): string {
  return createHash("sha256")
    .update(JSON.stringify(["item", "book", externalId]))
    .digest("hex")
    .slice(0, 32);
}

/** Whether an event's deltas are the difference of its two sides. */
function addUp({ before, after, deltas }: DomainEvent): boolean {
  const sums: Record<string, number> = {};
  for (const [side, sign] of [
    [before, -1],
    [after, 1],
  ] as const) {
    const worth = side?.insuredValue;
    if (worth !== undefined) sums[worth.currency] = (sums[worth.currency] ?? 0) + sign * worth.amountMinor;
  }
  const insuredMinor = Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0));
  const items = (after === null ? 0 : 1) - (before === null ? 0 : 1);
  return isDeepStrictEqual(deltas, { items, insuredMinor });
}

/** An item's document, read here and not by the code that wrote it. */
function heldOf(data: Record<string, unknown>): Held {
  const { importSource, createdAt: _, body, externalId: named, ...fields } = data;
  const {
    version,
    writeId: __,
    updatedAt: ___,
    job: ____,
    row: _____,
    externalId: kept,
    ...rest
  } = z.looseObject({ version: z.int() }).parse(JSON.parse(z.string().parse(body)));
  const item = { ...rest, ...fields, externalId: named ?? kept };
  return {
    item: item as unknown as Owned,
    version,
    source: typeof importSource === "string" ? importSource : undefined,
  };
}
