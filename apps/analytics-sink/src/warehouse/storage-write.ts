import type { WarehouseTable } from "@proveniq/contracts/warehouse";
import { AppendConnection } from "./connection.ts";
import type { Appended, Warehouse } from "./port.ts";
import type { StorageClient } from "./storage-client.ts";

export interface StorageWriteOptions {
  /** Project and dataset of the raw tables. */
  project: string;
  dataset: string;
  /** `host:port` of the local warehouse, without TLS; absent for BigQuery. */
  localHost?: string | undefined;
  timeoutMs?: number;
}

/** BigQuery through its Storage Write client. The client is loaded with the first call. */
export class StorageWriteWarehouse implements Warehouse {
  readonly #options: StorageWriteOptions;
  readonly #timeoutMs: number;
  readonly #connections = new Map<string, AppendConnection>();
  #client: Promise<StorageClient> | undefined;

  constructor(options: StorageWriteOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 30_000;
  }

  async createStream(table: WarehouseTable): Promise<string> {
    const client = await this.#open();
    const [stream] = await client.createWriteStream(
      { parent: this.#path(table), writeStream: { type: "COMMITTED" } },
      { timeout: this.#timeoutMs },
    );
    if (typeof stream.name !== "string") throw new Error("the warehouse made a stream without a name");
    return stream.name;
  }

  async append(
    table: WarehouseTable,
    stream: string,
    offset: number,
    rows: readonly Buffer[],
  ): Promise<Appended> {
    const connection = await this.#connection(table, stream);
    return connection.append(stream, offset, rows, this.#timeoutMs);
  }

  async finalize(stream: string): Promise<number | undefined> {
    this.#connections.get(stream)?.close();
    this.#connections.delete(stream);
    const client = await this.#open();
    try {
      const [{ rowCount }] = await client.finalizeWriteStream({ name: stream }, { timeout: this.#timeoutMs });
      return Number(rowCount ?? 0);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === 5) return undefined;
      throw error;
    }
  }

  async appendLoosely(table: WarehouseTable, rows: readonly Buffer[]): Promise<void> {
    const stream = `${this.#path(table)}/streams/_default`;
    const connection = await this.#connection(table, stream);
    const answer = await connection.append(stream, undefined, rows, this.#timeoutMs);
    if (answer !== "appended") throw new Error(`the default stream of ${table.name} answered "${answer}"`);
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
    await this.#client?.then((client) => client.close()).catch(() => undefined);
  }

  #path(table: WarehouseTable): string {
    const { project, dataset } = this.#options;
    return `projects/${project}/datasets/${dataset}/tables/${table.name}`;
  }

  async #connection(table: WarehouseTable, stream: string): Promise<AppendConnection> {
    const known = this.#connections.get(stream);
    if (known !== undefined && !known.broken) return known;
    const client = await this.#open();
    // The service routes by this header; without it some calls land where the stream is not known.
    const headers = { "x-goog-request-params": `write_stream=${encodeURIComponent(stream)}` };
    const made = new AppendConnection(client.appendRows({ otherArgs: { headers } }), table);
    this.#connections.set(stream, made);
    return made;
  }

  #open(): Promise<StorageClient> {
    this.#client ??= import("./storage-client.ts").then(({ connectStorage }) =>
      connectStorage(this.#options.localHost),
    );
    return this.#client;
  }
}
