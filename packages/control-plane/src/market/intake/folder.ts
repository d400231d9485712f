import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { byName, type Inbox, type Waiting } from "./inbox.ts";

/**
 * An inbox that is a folder: files in it wait, `published` and `refused` below it hold what was looked at. Names that begin with a
 * dot are left alone: write a file so, and rename it when it is whole.
 */
export class FolderInbox implements Inbox {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async waiting(): Promise<Waiting[]> {
    const entries = await readdir(this.#folder, { withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith("."));
    const found = await Promise.all(
      files.map(async ({ name }) => ({ name, version: (await this.#version(name)) ?? "" })),
    );
    return found.filter(({ version }) => version !== "").sort(byName);
  }

  async waits({ name, version }: Waiting): Promise<boolean> {
    return (await this.#version(name)) === version;
  }

  read({ name }: Waiting): AsyncIterable<Uint8Array> {
    return createReadStream(join(this.#folder, name));
  }

  async lastPublished(): Promise<string | undefined> {
    const names = await readdir(join(this.#folder, "published")).catch(orNone);
    return names
      .filter((name) => !name.startsWith("."))
      .sort()
      .at(-1);
  }

  async published(name: string): Promise<string | undefined> {
    const bytes = await readFile(join(this.#folder, "published", name)).catch(orNothing);
    return bytes === undefined ? undefined : createHash("sha256").update(bytes).digest("hex");
  }

  keep(object: Waiting): Promise<void> {
    return this.#move(object, "published");
  }

  drop({ name }: Waiting): Promise<void> {
    return rm(join(this.#folder, name), { force: true });
  }

  async setAside(object: Waiting, reasons: string): Promise<void> {
    await mkdir(join(this.#folder, "refused"), { recursive: true });
    await writeFile(join(this.#folder, "refused", `${object.name}.reasons.txt`), `${reasons}\n`);
    await this.#move(object, "refused");
  }

  async #move({ name }: Waiting, to: "published" | "refused"): Promise<void> {
    await mkdir(join(this.#folder, to), { recursive: true });
    await rename(join(this.#folder, name), join(this.#folder, to, name)).catch(orNothing);
  }

  async #version(name: string): Promise<string | undefined> {
    const found = await stat(join(this.#folder, name), { bigint: true }).catch(orNothing);
    return found === undefined ? undefined : `${found.ino}-${found.size}-${found.mtimeNs}`;
  }
}

function orNothing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

function orNone(error: NodeJS.ErrnoException): string[] {
  if (error.code !== "ENOENT") throw error;
  return [];
}
