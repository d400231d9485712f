import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publishMarket, renewMarket } from "@proveniq/control-plane/market";
import { inspectReplica } from "@proveniq/db/inspect";
import { DatabasePool } from "@proveniq/db/pool";
import { documentKinds, faultsOfDocument, kindOf } from "@proveniq/db/testing/documents";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { buildArtefact } from "../../apps/cell-api/build.ts";
import { Desk, type Door } from "./callers.ts";
import { Cell } from "./cell.ts";
import { breakOffDelivery, breakOffWriting, carried, outboxes } from "./interrupted.ts";
import { complete, type Left, lines, live, type OpenImport, repeat, visit } from "./life.ts";
import { look, lost, type Sights } from "./look.ts";
import { marketBook, readValues, replicated } from "./market.ts";
import { Recorded } from "./recorded.ts";
import { buildCommit, git, hasCommit, readRecord } from "./release.ts";
import { places, root, type Scene, setScene } from "./scene.ts";
import { clear, dump, load } from "./stored.ts";

// N is what is checked out, N-1 the last release as infra/releases/last.json records it: the same databases, filled with what
// that release stored, are served by N, then by both, then by N-1 again, as in a deploy and a rollback.
const record = await readRecord(root);
const known = await hasCommit(root, record.commit);
const why = known
  ? ""
  : ` (NOT RUN: this clone's history does not hold ${record.commit}; \`git fetch --unshallow\` brings it)`;

let recorded: Recorded;
let scene: Scene;
let folder: string;
let now: Cell;
let old: Cell | undefined;
let desk: Desk;
let fromNow: Left;
let broken: OpenImport;

const doorOf = (cell: Cell): Door => ({ api: () => cell.url("api"), bulk: () => cell.url("bulk") });
const before = (): Cell => {
  if (old === undefined) throw new Error("N-1 was not built");
  return old;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "compat-build-"));
  recorded = await Recorded.read(root, record);
  const emulator = inject("firestoreHost");
  for (const place of places) await clear(emulator, place);
  await load(emulator, recorded.documents);
  scene = await setScene(emulator);
  const { digest } = await buildArtefact(root, folder);
  now = new Cell({ name: "N", folder: join(folder, "artefact"), digest, commit: "worktree" }, scene);
  if (known) old = new Cell(await buildCommit(root, record.commit), scene);
  await now.start(["api", "bulk"]);
  desk = await Desk.open(scene, doorOf(now), recorded.callers);
}, 120_000);
afterAll(async () => {
  await Promise.all([now?.close(), old?.close()]);
  await scene?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Every document that is stored now and that N's own readers refuse, with its path and the field. */
async function refusedDocuments(): Promise<string[]> {
  const wrong: string[] = [];
  for (const { project, database } of places) {
    const pool = new DatabasePool({ projectId: project, allow: [database], emulatorHost: scene.emulator });
    const db = await pool.open(database);
    const paths = (await dump(scene.emulator, { project, database })).map(({ path }) => path);
    for (let n = 0; n < paths.length; n += 300) {
      const found = await db.getAll(...paths.slice(n, n + 300).map((path) => db.doc(path)));
      for (const snapshot of found) {
        for (const fault of faultsOfDocument(snapshot))
          wrong.push(`${database}/${snapshot.ref.path}: ${fault}`);
      }
    }
    await pool.close();
  }
  return wrong;
}

/** Import by import, what did not end as it should. */
async function completeAll(at: Desk, imports: readonly OpenImport[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const one of imports) wrong.push(...(await complete(at, one, true)));
  return wrong;
}

/** Kinds of documents that the last release did not write. Empty again when the next one is recorded. */
const since = [
  "tenants/*/people/*",
  "tenants/*/imports/*/staged/*",
  "tenants/*/imports/*/rows/*",
  "tenants/*/imports/*/plan/*",
  "tenants/*/imports/*/pages/*",
  "tenants/*/imports/*/replaced/*",
  "tenants/*/imports/*/progress/written",
  "tenants/*/imports/*/undoReports/*",
  "tenants/*/importState/queue",
  "tenants/*/importState/ramp",
];

/** What a version that did not do the work knows of an import: neither what happened nor what arrived. */
function outlined(seen: Sights, of: (job: Record<string, unknown>) => boolean): unknown {
  return Object.fromEntries(
    Object.entries(seen).map(([name, sight]) => {
      if ("refused" in sight || sight.imports === undefined) return [name, sight];
      const imports = Object.entries(sight.imports).map(([id, one]) => {
        const { counts: _, chunks: __, state: ___, updatedAt: ____, ...job } = one.job;
        return [id, of(one.job) ? { job } : one];
      });
      return [name, { ...sight, imports: Object.fromEntries(imports) }];
    }),
  );
}

describe("what the last release stored", () => {
  test("is there, a document of every kind", () => {
    const kinds = new Set(recorded.documents.map(({ path }) => kindOf(path) ?? `unknown: ${path}`));
    // Only books of more than a thousand things have a portfolio, and it is made anew when it cannot be read; shares are
    // kept for seconds, and only where a budget has more than one instance or a pace.
    const absent = new Set(["tenants/*/portfolios/*", "shares/*", ...since]);
    const wanted = documentKinds.filter((kind) => !absent.has(kind));
    expect([...kinds].sort()).toEqual([...wanted].sort());
  });

  test("is taken by N's readers, field by field", async () => {
    expect(await refusedDocuments()).toEqual([]);
  }, 60_000);

  test("is answered by N as by the release", async () => {
    // Of imports that were under way nothing is taken over: their chunks are asked for again.
    const underWay = ({ state }: Record<string, unknown>) => state === "open" || state === "finishing";
    expect(lost(outlined(recorded.sights, underWay), await look(desk))).toEqual([]);
    expect(lost(recorded.values, await readValues(desk))).toEqual([]);
  }, 120_000);

  test("a write of the release that is made again is answered the same", async () => {
    expect(recorded.writes.length).toBeGreaterThan(30);
    expect(await repeat(desk, recorded.writes)).toEqual([]);
  }, 60_000);

  test("imports that were under way are completed by N", async () => {
    expect(recorded.open).toHaveLength(3);
    // The release recorded no chunks for the one that it was ending: it would not have asked for them.
    const ending = { n: 1, firstRow: 1, type: "text/csv", text: lines("one-e", 1, 5) };
    const open = recorded.open.map((o) => (o.chunks.length > 0 ? o : { ...o, chunks: [ending] }));
    expect(await completeAll(desk, open)).toEqual([]);
  }, 60_000);

  test("N's replicator goes on where the release's left off", async () => {
    const { sequence } = await inspectReplica(scene.pool, scene.manifest.marketDatabase.id);
    await now.start(["replicate"]);
    expect(await replicated(scene, now)).toBeGreaterThan(sequence);
    await now.end("replicate");
  }, 60_000);

  test("N's sink gets the planned delivery, and all that waits behind it, to the warehouse", async () => {
    const waiting = await outboxes(scene);
    expect(waiting.filter(({ sink }) => sink.plan !== null)).not.toEqual([]);
    await scene.warehouse.start();
    await now.start(["sink"]);
    await carried(scene, now);
    await now.end("sink", "SIGTERM");
    expect(await delivered()).toEqual(waiting.reduce((sum, { events }) => sum + events, 0));
    expect(await stuck()).toEqual(waiting.map(({ sink }) => [null, sink.setAside]));
  }, 60_000);

  test("N lives with it, and is broken off while it writes an import", async () => {
    fromNow = await live(desk, "new");
    broken = await breakOffWriting(scene, now, desk, "new");
    expect(await refusedDocuments()).toEqual([]);
  }, 120_000);
});

/** Events that arrived in the warehouse, by its control rows; no row is there twice. */
async function delivered(): Promise<number> {
  const [rows] = await scene.warehouse.query(
    "SELECT COUNT(*) AS n, COUNT(DISTINCT row_id) AS ids FROM raw_eu.events",
  );
  expect(rows?.["n"]).toBe(rows?.["ids"]);
  const [plans] = await scene.warehouse.query("SELECT SUM(events) AS n FROM raw_eu.plans");
  return Number(plans?.["n"]);
}

/** For each outbox: why its sink stopped, and how many pages it could not read. */
async function stuck(): Promise<[unknown, number][]> {
  return (await outboxes(scene)).map(({ sink }) => [sink.halted, sink.setAside]);
}

describe.skipIf(!known)(`N-1 beside N${why}`, () => {
  let oldDesk: Desk;

  beforeAll(async () => {
    await before().start(["api", "bulk"]);
    oldDesk = desk.at(doorOf(before()));
  }, 60_000);

  /** In what the two versions tell differently; N may tell more of a thing, and neither knows of one that the other does not. */
  async function differences(): Promise<string[]> {
    const [by, after] = [await look(oldDesk), await look(desk)];
    const named = (seen: Awaited<ReturnType<typeof look>>) =>
      Object.entries(seen).flatMap(([name, s]) =>
        "refused" in s ? [] : Object.keys({ ...s.items, ...s.imports }).map((id) => `${name}/${id}`),
      );
    const known = new Set(named(by));
    const unknown = named(after).filter((id) => !known.has(id));
    return [
      ...lost(
        outlined(by, () => true),
        after,
      ),
      ...unknown.map((id) => `${id} is not seen by N-1`),
    ];
  }

  test("is built from its own commit, to the byte where its packages are still installed", async () => {
    const changed = await git(root, "diff", "--name-only", record.commit, "--", "package-lock.json");
    // With other packages installed than then, nobody can have the same bytes.
    const wanted = changed === "" ? record.artefactDigest : before().release.digest;
    expect(before().release).toMatchObject({ digest: wanted, commit: record.commit });
  });

  test("reads all that N wrote", async () => {
    expect(await differences()).toEqual([]);
  }, 120_000);

  test("repeats the answers to N's writes", async () => {
    expect(await repeat(oldDesk, fromNow.sealed)).toEqual([]);
  }, 60_000);

  test("completes N's imports, one that was broken off while it was written", async () => {
    expect(await completeAll(oldDesk, [...fromNow.open, broken])).toEqual([]);
  }, 60_000);

  test("writes what N goes on with", async () => {
    const fromOld = await live(oldDesk, "old");
    expect(await repeat(desk, fromOld.sealed)).toEqual([]);
    expect(await completeAll(desk, fromOld.open)).toEqual([]);
  }, 120_000);

  test("serves by turns with N, request by request", async () => {
    let turn = 0;
    // No request of one kind always goes to the same version: they come by twos and by threes.
    const either = () => ((turn++ * 7_919) % 13 < 7 ? now : before());
    const mixed = desk.at({ api: () => either().url("api"), bulk: () => either().url("bulk") });
    const { sealed, open } = await live(mixed, "mixed", true);
    expect(await repeat(mixed, sealed)).toEqual([]);
    expect(await completeAll(mixed, open)).toEqual([]);
    expect(await differences()).toEqual([]);
  }, 120_000);

  test("delivers what N's sink had planned, and the other way round", async () => {
    const waiting = (await outboxes(scene)).reduce((sum, { events }) => sum + events, 0);
    const had = await delivered();
    const setAside = (await stuck()).map(([, pages]) => pages);
    await now.start(["sink"]);
    await carried(scene, now);
    expect(await delivered()).toBe(had + waiting);

    for (const [from, to, tag] of [
      [now, before(), "sink-1"],
      [before(), now, "sink-2"],
    ] as const) {
      const already = await delivered();
      let events = 0;
      await breakOffDelivery(scene, from, async () => {
        await visit(from === now ? desk : oldDesk, tag);
        events = (await outboxes(scene)).reduce((sum, outbox) => sum + outbox.events, 0);
      });
      await to.start(["sink"]);
      await carried(scene, to);
      expect(await delivered()).toBe(already + events);
    }
    expect(await stuck()).toEqual(setAside.map((pages) => [null, pages]));
  }, 120_000);

  test("follows the market after N, page by page and from a new base, and N after it", async () => {
    const values = async () => {
      const [by, after] = [await readValues(oldDesk), await readValues(desk)];
      return lost(by, after);
    };
    await publishMarket(scene.centre, marketBook(4));
    await before().start(["replicate"]);
    await replicated(scene, before());
    await renewMarket(scene.centre);
    await replicated(scene, before());
    await before().end("replicate");
    await publishMarket(scene.centre, marketBook(5));
    await now.start(["replicate"]);
    await replicated(scene, now);
    await expect.poll(values, { timeout: 10_000 }).toEqual([]);
    await expect.poll(async () => (await readValues(oldDesk)).length, { timeout: 10_000 }).toBe(20);
  }, 60_000);

  test("alone, after a rollback, reads and writes on, and N takes every document", async () => {
    await now.close();
    await visit(oldDesk, "back");
    expect(await repeat(oldDesk, fromNow.sealed)).toEqual([]);
    await look(oldDesk);
    expect(await refusedDocuments()).toEqual([]);
  }, 120_000);
});
