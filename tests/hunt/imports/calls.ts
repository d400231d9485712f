import { createHash } from "node:crypto";
import { type ImportJob, importJob } from "@proveniq/contracts";
import { type Answer, Broken, type Caller } from "./caller.ts";
import type { HuntFile } from "./files.ts";

/** What an import is begun with. */
export interface Beginning {
  name: string;
  file: HuntFile;
  dryRun: boolean;
  maxErrors: number;
  maxDeletePercent: number;
  undo: boolean;
}

/** The calls about one import. */
export class ImportCalls {
  readonly #caller: Caller;
  readonly #begun: Beginning;
  readonly #path: string;

  private constructor(caller: Caller, begun: Beginning, id: string) {
    this.#caller = caller;
    this.#begun = begun;
    this.#path = `/imports/${id}`;
  }

  static async create(caller: Caller, begun: Beginning): Promise<ImportCalls> {
    const { name, file, dryRun, maxErrors, maxDeletePercent, undo } = begun;
    const answer = await caller.call("bulk", "POST", "/imports", {
      headers: { "content-type": "application/json", "idempotency-key": `create-${name}` },
      body: JSON.stringify({
        source: file.meaning.source,
        scope: file.meaning.full ? "full" : "partial",
        dryRun,
        maxErrors,
        maxDeletePercent,
        ...(undo ? {} : { undo: false }),
        ...file.input,
      }),
    });
    if (answer.status !== 201) throw new Broken(`${name} cannot begin: ${answer.text}`);
    return new ImportCalls(caller, begun, importJob.parse(JSON.parse(answer.text)).id);
  }

  /** Put bytes as chunk `n`, from 0. */
  put(n: number, bytes: Buffer, firstRow: number): Promise<Answer> {
    const digest = createHash("sha256").update(bytes).digest("base64");
    const type = this.#begun.file.input.format.type === "csv" ? "text/csv" : "application/x-ndjson";
    return this.#caller.call("bulk", "PUT", `${this.#path}/chunks/${n + 1}?firstRow=${firstRow}`, {
      headers: { "content-type": type, "content-digest": `sha-256=:${digest}:` },
      body: bytes,
    });
  }

  complete(more: { confirmDeletes?: number; preview?: boolean }): Promise<Answer> {
    const { chunks, meaning } = this.#begun.file;
    return this.#caller.call("bulk", "POST", `${this.#path}/complete`, {
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ chunks: chunks.length, rows: meaning.rows.length, ...more }),
    });
  }

  cancel(): Promise<Answer> {
    return this.#caller.call("bulk", "DELETE", this.#path);
  }

  undo(): Promise<Answer> {
    return this.#caller.call("bulk", "POST", `${this.#path}/undo`);
  }

  async look(): Promise<ImportJob> {
    const answer = await this.#caller.call("bulk", "GET", this.#path);
    if (answer.status !== 200) throw new Broken(`${this.#begun.name} cannot be looked at: ${answer.text}`);
    return importJob.parse(JSON.parse(answer.text));
  }

  /** The row report. */
  async report(): Promise<string> {
    return (await this.#caller.call("bulk", "GET", `${this.#path}/errors.ndjson`)).text;
  }
}
