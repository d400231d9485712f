import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { faultsOf, marketValue } from "@proveniq/contracts";
import { z } from "zod";
import { caller } from "./callers.ts";
import { openImport, sealedWrite } from "./life.ts";
import { sight } from "./look.ts";
import { type ReleaseRecord, releasesOf } from "./release.ts";
import { type StoredDocument, storedDocument } from "./stored.ts";

/** A line of the answers: somebody who called, what they saw in the end, what they wrote, what was left unfinished. */
const line = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("caller"), name: z.string(), caller }),
  z.strictObject({ kind: z.literal("sight"), name: z.string(), sight }),
  z.strictObject({ kind: z.literal("write"), write: sealedWrite }),
  z.strictObject({ kind: z.literal("open"), import: openImport }),
  z.strictObject({ kind: z.literal("value"), value: z.looseObject(marketValue.shape) }),
]);
export type RecordedLine = z.infer<typeof line>;

/** What the last release left: the documents of its databases, and what it answered about them. */
export class Recorded {
  readonly documents: readonly StoredDocument[];
  readonly #lines: readonly RecordedLine[];

  constructor(documents: readonly StoredDocument[], lines: readonly RecordedLine[]) {
    this.documents = documents;
    this.#lines = lines;
  }

  static async read(root: string, { documents, answers }: ReleaseRecord): Promise<Recorded> {
    const folder = releasesOf(root);
    return new Recorded(
      await readLines(join(folder, documents), storedDocument),
      await readLines(join(folder, answers), line),
    );
  }

  async write(root: string, { documents, answers }: ReleaseRecord): Promise<void> {
    const folder = releasesOf(root);
    await writeFile(join(folder, documents), linesOf(this.documents));
    await writeFile(join(folder, answers), linesOf(this.#lines));
  }

  get callers() {
    return Object.fromEntries(this.#lines.flatMap((l) => (l.kind === "caller" ? [[l.name, l.caller]] : [])));
  }

  get sights() {
    return Object.fromEntries(this.#lines.flatMap((l) => (l.kind === "sight" ? [[l.name, l.sight]] : [])));
  }

  get writes() {
    return this.#lines.flatMap((l) => (l.kind === "write" ? [l.write] : []));
  }

  get open() {
    return this.#lines.flatMap((l) => (l.kind === "open" ? [l.import] : []));
  }

  get values() {
    return this.#lines.flatMap((l) => (l.kind === "value" ? [l.value] : []));
  }
}

const linesOf = (all: readonly unknown[]): string => all.map((one) => `${JSON.stringify(one)}\n`).join("");

async function readLines<T>(file: string, schema: z.ZodType<T>): Promise<T[]> {
  const texts = (await readFile(file, "utf8")).split("\n").filter((text) => text !== "");
  return texts.map((text, n) => {
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    const faults = faultsOf(parsed.error).map((f) => `${f.path} ${f.message}`);
    throw new Error(`${file}:${n + 1}: ${faults.join("; ")}. Was it edited? Record the release again.`);
  });
}
