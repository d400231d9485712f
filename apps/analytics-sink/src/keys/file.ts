import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { keyExpired } from "../anonymise/days.ts";
import type { DayKeys } from "./index.ts";

const named = /^(\d{4}-\d{2}-\d{2})\.key$/;

/** Keys as files of one folder: for one machine. */
export class FileKeys implements DayKeys {
  readonly #folder: string;
  readonly #known = new Map<string, KeyObject>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async key(day: string): Promise<KeyObject> {
    const known = this.#known.get(day);
    if (known !== undefined) return known;
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const path = join(this.#folder, `${day}.key`);
    const draft = `${path}.${randomBytes(6).toString("hex")}`;
    // Written whole, then given its name: of two processes that ask at once, both read the first one's key.
    await writeFile(draft, randomBytes(32), { mode: 0o600 });
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    await rm(draft);
    const key = createSecretKey(await readFile(path));
    this.#known.set(day, key);
    return key;
  }

  async destroyExpired(today: string): Promise<void> {
    const files = await readdir(this.#folder).catch(() => []);
    for (const file of files) {
      const day = named.exec(file)?.[1];
      if (day === undefined || !keyExpired(day, today)) continue;
      await rm(join(this.#folder, file), { force: true });
    }
    for (const day of this.#known.keys()) if (keyExpired(day, today)) this.#known.delete(day);
  }
}
