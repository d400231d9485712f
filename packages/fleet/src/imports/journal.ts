import { createHash, randomUUID } from "node:crypto";
import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import { importId } from "@proveniq/contracts";
import { z } from "zod";

const line = z.union([
  z.strictObject({ fingerprint: z.string(), key: z.string() }),
  z.strictObject({ importId }),
  z.strictObject({ done: z.int().min(1), rows: z.int().min(0) }),
  z.strictObject({ sent: z.strictObject({ chunks: z.int().min(0), rows: z.int().min(0) }) }),
]);
type Line = z.infer<typeof line>;

/** How much a file was in all. */
export interface Totals {
  chunks: number;
  rows: number;
}

/** What an import is known by: the file as it is now, where it goes, and how it is read. */
export function fingerprintOf(...parts: unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

/**
 * Beside the file, `FILE.import`: which import is under way and which of its chunks are done, so that a run that was
 * killed goes on. Lines of JSON, each appended whole; one that was cut off is ignored.
 */
export class Journal {
  readonly path: string;
  #fingerprint = "";
  #key = "";
  #importId: string | undefined;
  readonly #done = new Map<number, number>();
  #totals: Totals | undefined;

  private constructor(path: string) {
    this.path = path;
  }

  static async read(file: string): Promise<Journal> {
    const journal = new Journal(`${file}.import`);
    const text = await readFile(journal.path, "utf8").catch(() => "");
    for (const each of text.split("\n")) {
      const parsed = line.safeParse(parse(each));
      if (parsed.success) journal.#take(parsed.data);
    }
    return journal;
  }

  /** What it was begun for; empty when nothing was. */
  get fingerprint(): string {
    return this.#fingerprint;
  }

  /** Makes the begin of the import happen once. */
  get key(): string {
    return this.#key;
  }

  get importId(): string | undefined {
    return this.#importId;
  }

  /** Chunks that are done, with their rows. */
  get done(): ReadonlyMap<number, number> {
    return this.#done;
  }

  /** Known once all of it has been sent: then only the end is missing. */
  get totals(): Totals | undefined {
    return this.#totals;
  }

  /** Begin anew. Written before the import is, so that a kill in between leaves no second import behind. */
  async begin(fingerprint: string): Promise<void> {
    this.#done.clear();
    this.#importId = undefined;
    this.#totals = undefined;
    const first = { fingerprint, key: randomUUID() };
    this.#take(first);
    await writeFile(this.path, `${JSON.stringify(first)}\n`);
  }

  async began(id: string): Promise<void> {
    await this.#append({ importId: id });
  }

  async note(chunk: number, rows: number): Promise<void> {
    await this.#append({ done: chunk, rows });
  }

  /** All of it is there. */
  async sent(totals: Totals): Promise<void> {
    await this.#append({ sent: totals });
  }

  /** A chunk must be sent again. */
  forget(chunk: number): void {
    this.#done.delete(chunk);
    this.#totals = undefined;
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }

  async #append(entry: Line): Promise<void> {
    this.#take(entry);
    // A line that was cut off must not swallow this one.
    await appendFile(this.path, `\n${JSON.stringify(entry)}\n`);
  }

  #take(entry: Line): void {
    if ("fingerprint" in entry) {
      this.#fingerprint = entry.fingerprint;
      this.#key = entry.key;
    } else if ("importId" in entry) this.#importId = entry.importId;
    else if ("sent" in entry) this.#totals = entry.sent;
    else this.#done.set(entry.done, entry.rows);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
