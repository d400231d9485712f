import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabasePool } from "@proveniq/db/pool";
import { afterEach, beforeEach, expect, inject, it } from "vitest";
import { SavedData } from "./saved.ts";

const host = inject("firestoreHost");
const databases = ["(default)", "eu-partners"];
let stateDir: string;
let saved: SavedData;

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "saved-"));
  saved = new SavedData(stateDir);
  await mkdir(join(stateDir, "warehouse"));
  await writeFile(join(stateDir, "warehouse", "warehouse.duckdb"), "rows");
});
afterEach(() => rm(stateDir, { recursive: true, force: true }));

const at = new Date("2026-11-30T12:00:00.123Z");
const document = { at, bytes: Buffer.from([0, 255]), text: "ü", number: 0.1, map: { list: [1, "a", null] } };

async function inProject<T>(projectId: string, work: (pool: DatabasePool) => Promise<T>): Promise<T> {
  const pool = new DatabasePool({ projectId, allow: databases, emulatorHost: host });
  try {
    return await work(pool);
  } finally {
    await pool.close();
  }
}

const write = (project: string, id: string) =>
  inProject(project, async (pool) => {
    for (const database of databases)
      await (await pool.open(database)).doc(`tenants/a/items/${id}`).set({ ...document, database });
  });

/** Of each database the ids of its items, and one of them. */
const look = (project: string) =>
  inProject(project, (pool) =>
    Promise.all(
      databases.map(async (database) => {
        const { docs } = await (await pool.open(database)).collection("tenants/a/items").get();
        return { ids: docs.map((doc) => doc.id), first: docs[0]?.data() };
      }),
    ),
  );

const of = (project: string) => databases.map((database) => ({ host, project, database }));

it("brings back every database, named ones too, and what lies beside them", async () => {
  await write("saved-a", "1");
  expect(await saved.read()).toBeUndefined();
  const { savedAt } = await saved.save(of("saved-a"));
  await write("saved-a", "2");
  await writeFile(join(stateDir, "warehouse", "warehouse.duckdb"), "more rows");
  expect(await saved.read()).toEqual({ savedAt });

  // The same project on an emulator that knows nothing of it: here another project under its saved name.
  await rename(
    join(stateDir, "data/current/databases/saved-a--default-database"),
    join(stateDir, "data/current/databases/saved-b--default-database"),
  );
  const filled = await Promise.all(of("saved-b").map((database) => saved.fill(database)));
  expect(filled).toEqual([true, false]);
  const [first, second] = await look("saved-b");
  expect(first?.ids).toEqual(["1"]);
  expect(first?.first).toMatchObject({ bytes: document.bytes, text: "ü", number: 0.1, map: document.map });
  expect(JSON.stringify(first?.first?.["at"])).toContain('"_nanoseconds":123000000');
  expect(second?.ids).toEqual([]);
  await saved.layOut();
  expect(await readFile(join(stateDir, "warehouse", "warehouse.duckdb"), "utf8")).toBe("rows");
});

it("keeps the whole save before when one is cut off, and ends one that was whole", async () => {
  await write("saved-c", "1");
  const { savedAt } = await saved.save(of("saved-c"));
  const next = join(stateDir, "data", "next");
  await mkdir(next);
  await writeFile(join(next, "half"), "");
  await saved.finishSave();
  expect(await saved.read()).toEqual({ savedAt });
  // Killed between the renames.
  await rename(join(stateDir, "data", "current"), next);
  await saved.finishSave();
  expect(await saved.read()).toEqual({ savedAt });
});

it("keeps databases that do not run, and snapshots under names", async () => {
  await write("saved-d", "1");
  await saved.save(of("saved-d"));
  const { savedAt } = await saved.save(of("saved-d").slice(0, 1));
  await expect(
    readFile(join(stateDir, "data/current/databases/saved-d--eu-partners/export")),
  ).rejects.toThrow("EISDIR");
  await saved.keepAs("one");
  await saved.forget();
  await expect(saved.keepAs("two")).rejects.toThrow("Nothing is saved yet");
  await expect(saved.keepAs("../out")).rejects.toThrow("must be lower-case");
  await expect(saved.takeUp("two")).rejects.toThrow('no snapshot "two"; there are: one');
  expect(await saved.takeUp("one")).toEqual({ savedAt });
  expect(await saved.snapshots()).toEqual([{ name: "one", savedAt }]);
  expect(await saved.read()).toEqual({ savedAt });
});
