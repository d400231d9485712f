import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** Data that is gone: what was written to a database after it was last saved. */
export const loss = z.strictObject({
  database: z.string().describe("central, a cell's id, or all"),
  at: z.iso.datetime(),
  savedAt: z.iso.datetime().nullable().describe("What was written after that is lost; null: everything"),
});
export type Loss = z.infer<typeof loss>;

const kept = z.array(loss);
const most = 50;

/** The losses of a local fleet, over restarts, until somebody has taken note of them. */
export class Losses {
  readonly #folder: string;
  #losses: Loss[] = [];

  constructor(stateDir: string) {
    this.#folder = join(stateDir, "data");
  }

  get all(): readonly Loss[] {
    return this.#losses;
  }

  async load(): Promise<void> {
    const text = await readFile(this.#file, "utf8").catch(() => "[]");
    try {
      this.#losses = kept.parse(JSON.parse(text));
    } catch {
      this.#losses = [];
    }
  }

  async add(what: Loss): Promise<void> {
    this.#losses = [...this.#losses, what].slice(-most);
    await this.#write();
  }

  /** Somebody knows; the losses that were known then. */
  async acknowledge(): Promise<readonly Loss[]> {
    const all = this.#losses;
    this.#losses = [];
    await rm(this.#file, { force: true });
    return all;
  }

  get #file(): string {
    return join(this.#folder, "losses.json");
  }

  /** Remembered at least by this process when the disk is full. */
  async #write(): Promise<void> {
    const next = `${this.#file}.${process.pid}.new`;
    await mkdir(this.#folder, { recursive: true })
      .then(() => writeFile(next, `${JSON.stringify(this.#losses)}\n`))
      .then(() => rename(next, this.#file))
      .catch(() => undefined);
  }
}
