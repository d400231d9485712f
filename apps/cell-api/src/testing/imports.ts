import { createHash } from "node:crypto";
import { type ImportJob, importJob } from "@proveniq/contracts";
import { readOutbox } from "@proveniq/db/outbox";
import type { Answer, Call } from "./client.ts";
import type { EmulatedCell } from "./emulated-cell.ts";

const columns = ["id", "name", "worth", "op"];
const mapping = {
  fields: {
    externalId: { column: "id" },
    title: { column: "name" },
    category: { constant: "art" },
    insuredValue: {
      column: "worth",
      unit: "major",
      number: { decimal: ".", grouping: "none" },
      currency: { constant: "EUR" },
    },
  },
  op: { column: "op", delete: ["D"] },
};

/** Columns id, name, worth, op (`D` deletes), without a header. */
export const csvImport = {
  source: "book",
  format: { type: "csv", delimiter: ",", columns, header: "none" },
  mapping,
};

/** What a test does with the imports of one tenant. */
export class ImportDesk {
  readonly #cell: EmulatedCell;
  readonly tenant: string;

  constructor(cell: EmulatedCell, tenant: string) {
    this.#cell = cell;
    this.tenant = tenant;
  }

  readonly call: Call = (method, path, options) =>
    this.#cell.call(method, path, { tenant: this.tenant, ...options });

  /** The same tenant by another process of the cell. */
  through(cell: EmulatedCell): ImportDesk {
    return new ImportDesk(cell, this.tenant);
  }

  async begin(more: object = {}): Promise<string> {
    const answer = await this.call("POST", "/v1/imports", { body: { ...csvImport, ...more } });
    if (answer.status !== 201) throw new Error(`not begun: ${answer.status} ${answer.text}`);
    return importJob.parse(answer.body).id;
  }

  async put(id: string, n: number, firstRow: number, body: string, type = "text/csv"): Promise<Answer> {
    const digest = `sha-256=:${createHash("sha256").update(body).digest("base64")}:`;
    const headers = { "content-type": type, "content-digest": digest };
    return this.call("PUT", `/v1/imports/${id}/chunks/${n}?firstRow=${firstRow}`, { body, headers });
  }

  /** One call. */
  complete(id: string, chunks: number, rows: number, more: object = {}): Promise<Answer> {
    return this.call("POST", `/v1/imports/${id}/complete`, { body: { chunks, rows, ...more } });
  }

  /** Until it is no longer answered by 202. Answers the last and how many there were. */
  async untilDone(call: () => Promise<Answer>, most = 200): Promise<{ answer: Answer; calls: number }> {
    for (let calls = 1; calls <= most; calls++) {
      const answer = await call();
      if (answer.status !== 202) return { answer, calls };
    }
    throw new Error(`not done after ${most} calls`);
  }

  /** Import rows, each chunk a text, in one go. */
  async whole(chunks: readonly string[], more: object = {}, end: object = {}): Promise<ImportJob> {
    const id = await this.begin(more);
    let row = 1;
    for (const [n, text] of chunks.entries()) {
      await this.put(id, n + 1, row, text);
      row += text.trimEnd().split("\n").length;
    }
    const { answer } = await this.untilDone(() => this.complete(id, chunks.length, row - 1, end));
    return importJob.parse(answer.body);
  }

  async get(id: string): Promise<ImportJob> {
    return importJob.parse((await this.call("GET", `/v1/imports/${id}`)).body);
  }

  /** Titles of what is in the book, by external id. */
  async titles(): Promise<Record<string, string>> {
    const bodies = [...(await this.items()).values()];
    return Object.fromEntries(bodies.map((body) => [String(body["externalId"]), String(body["title"])]));
  }

  /** What items hold, by id. */
  async items(): Promise<Map<string, Record<string, unknown>>> {
    const { docs } = await (await this.database()).collection(`tenants/${this.tenant}/items`).get();
    return new Map(docs.map((doc) => [doc.id, { ...doc.data(), ...JSON.parse(String(doc.get("body"))) }]));
  }

  async events(): Promise<string[]> {
    const pages = await readOutbox(await this.database());
    return pages.flatMap((p) => (p.tenantId === this.tenant ? p.events.map((e) => e.type) : []));
  }

  async database() {
    const { databases, tenants } = this.#cell;
    return this.#cell.pool.open(databases[tenants.indexOf(this.tenant) % databases.length] ?? "");
  }
}

/** Those counts that are not 0, without the number of rows. */
export function counted({ counts }: ImportJob): Record<string, number> {
  const { rows: _, ...rest } = counts;
  return Object.fromEntries(Object.entries(rest).filter(([, n]) => n > 0));
}
