import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type EmulatedDatabase, exportDatabase, importDatabase } from "../emulator/export.ts";

/** Folders of the fleet's state that are as old as its databases, and are kept with them. */
const besides = ["warehouse", "analytics-keys"] as const;

const description = z.strictObject({ savedAt: z.iso.datetime() });
export type Saved = z.infer<typeof description>;

const snapshotName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "must be lower-case letters, digits or -");

/**
 * What a local fleet keeps over a restart, in `<stateDir>/data`: `current`, each database's documents and the warehouse as they were
 * when it was last saved, and `snapshots/NAME`, copies that people asked for. A save takes the place of the one before only when it
 * is whole.
 */
export class SavedData {
  readonly #stateDir: string;
  readonly #data: string;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
    this.#data = join(stateDir, "data");
  }

  /** When `current` was saved; undefined when nothing is kept. */
  async read(): Promise<Saved | undefined> {
    return readDescription(this.#current);
  }

  /** Save these databases and what lies beside them. Databases that do not run now stay as they were saved. */
  async save(databases: readonly EmulatedDatabase[]): Promise<Saved> {
    const next = join(this.#data, "next");
    await rm(next, { recursive: true, force: true });
    await mkdir(next, { recursive: true });
    await Promise.all(databases.map((each) => exportDatabase(each, folderOf(next, each))));
    await this.#keepOthers(next);
    for (const folder of besides) await copy(join(this.#stateDir, folder), join(next, folder));
    const saved = { savedAt: new Date().toISOString() };
    await writeFile(join(next, "saved.json"), `${JSON.stringify(saved)}\n`);
    await this.#replaceCurrent(next);
    return saved;
  }

  /** Fill an empty database with what was saved of it; false when that is nothing. */
  fill(database: EmulatedDatabase): Promise<boolean> {
    return importDatabase(database, folderOf(this.#current, database));
  }

  /** Put what lies beside the databases where the fleet reads it, or nothing where nothing is kept. */
  async layOut(): Promise<void> {
    for (const folder of besides) {
      await rm(join(this.#stateDir, folder), { recursive: true, force: true });
      await copy(join(this.#current, folder), join(this.#stateDir, folder));
    }
  }

  /** Keep nothing. Snapshots stay. */
  async forget(): Promise<void> {
    await rm(this.#current, { recursive: true, force: true });
  }

  /** Keep a copy of what was last saved under a name, in the place of an earlier one. Throws when nothing is saved. */
  async keepAs(name: string): Promise<Saved> {
    const folder = this.#snapshot(name);
    const saved = await this.read();
    if (saved === undefined) throw new Error("Nothing is saved yet: start the fleet first");
    await rm(folder, { recursive: true, force: true });
    await copy(this.#current, folder);
    return saved;
  }

  /** Make a snapshot what the next start begins with. Throws when there is none of this name. */
  async takeUp(name: string): Promise<Saved> {
    const folder = this.#snapshot(name);
    const saved = await readDescription(folder);
    if (saved === undefined) {
      const known = (await this.snapshots()).map((each) => each.name).join(", ");
      throw new Error(`There is no snapshot "${name}"; there are: ${known === "" ? "none" : known}`);
    }
    const next = join(this.#data, "next");
    await rm(next, { recursive: true, force: true });
    await copy(folder, next);
    await this.#replaceCurrent(next);
    return saved;
  }

  /** The snapshots by name. */
  async snapshots(): Promise<(Saved & { name: string })[]> {
    const names = await readdir(join(this.#data, "snapshots")).catch(() => []);
    const found = await Promise.all(
      names.map(async (name) => ({ name, saved: await readDescription(this.#snapshot(name)) })),
    );
    return found
      .flatMap(({ name, saved }) => (saved === undefined ? [] : [{ name, ...saved }]))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get #current(): string {
    return join(this.#data, "current");
  }

  #snapshot(name: string): string {
    const checked = snapshotName.safeParse(name);
    if (!checked.success) throw new Error(`A snapshot's name ${checked.error.issues[0]?.message}`);
    return join(this.#data, "snapshots", checked.data);
  }

  /** Databases of cells that were left out of this run. */
  async #keepOthers(next: string): Promise<void> {
    const before = join(this.#current, "databases");
    const saved = new Set(await readdir(join(next, "databases")).catch(() => []));
    for (const name of await readdir(before).catch(() => [])) {
      if (!saved.has(name)) await copy(join(before, name), join(next, "databases", name));
    }
  }

  /** A save that is cut off between the two renames is whole in `next`: see `finishSave`. */
  async #replaceCurrent(next: string): Promise<void> {
    const former = join(this.#data, "former");
    await rm(former, { recursive: true, force: true });
    await rename(this.#current, former).catch(ignoreMissing);
    await rename(next, this.#current);
    await rm(former, { recursive: true, force: true });
  }

  /** End a save that was whole when its process was killed. Called before anything is read. */
  async finishSave(): Promise<void> {
    const next = join(this.#data, "next");
    if ((await this.read()) === undefined && (await readDescription(next)) !== undefined)
      await rename(next, this.#current);
    await Promise.all(
      ["next", "former"].map((each) => rm(join(this.#data, each), { recursive: true, force: true })),
    );
  }
}

/** Two cells may share a project, so the database's name alone is not enough. */
function folderOf(save: string, { project, database }: EmulatedDatabase): string {
  return join(save, "databases", `${project}--${database.replace(/^\((.*)\)$/, "$1-database")}`);
}

async function readDescription(folder: string): Promise<Saved | undefined> {
  try {
    return description.parse(JSON.parse(await readFile(join(folder, "saved.json"), "utf8")));
  } catch {
    return undefined;
  }
}

async function copy(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true }).catch(ignoreMissing);
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
