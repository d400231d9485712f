import { randomUUID } from "node:crypto";
import type { Catalog, Table } from "./catalog.ts";
import type { Engine } from "./engine.ts";
import type { CellValue } from "./schema.ts";

/** Why an append was refused, in gRPC's and the Storage Write API's numbers. */
export class StreamFault extends Error {
  override name = "StreamFault";
  /** 3 invalid, 5 not found, 6 already exists, 11 out of range. */
  readonly code: 3 | 5 | 6 | 11;
  /** google.cloud.bigquery.storage.v1.StorageError.StorageErrorCode. */
  readonly storageCode: number;

  constructor(code: StreamFault["code"], storageCode: number, message: string) {
    super(message);
    this.code = code;
    this.storageCode = storageCode;
  }
}

export interface WriteStream {
  name: string;
  project: string;
  dataset: string;
  table: string;
  /** The default stream of a table takes rows at least once and has no offsets. */
  kind: "committed" | "default";
  /** Rows it holds: the offset at which the next ones go. */
  rows: number;
  finalized: boolean;
}

const pathPattern = /^projects\/([^/]+)\/datasets\/([^/]+)\/tables\/([^/]+)(?:\/(?:streams\/)?([^/]+))?$/;

/** Write streams with the offsets of the real ones: rows and the stream's length change in one transaction. */
export class Streams {
  readonly #engine: Engine;
  readonly #catalog: Catalog;
  readonly #streams = new Map<string, WriteStream>();

  private constructor(engine: Engine, catalog: Catalog) {
    this.#engine = engine;
    this.#catalog = catalog;
  }

  static async load(engine: Engine, catalog: Catalog): Promise<Streams> {
    const streams = new Streams(engine, catalog);
    await engine.write((writer) =>
      writer.run(
        "CREATE TABLE IF NOT EXISTS catalog.streams (name VARCHAR PRIMARY KEY, rows BIGINT, finalized BOOLEAN)",
      ),
    );
    const known = await engine.read("SELECT name, rows, finalized FROM catalog.streams");
    for (const [name, rows, finalized] of known.getRows()) {
      const place = placeOf(String(name));
      streams.#streams.set(String(name), {
        ...place,
        name: String(name),
        kind: "committed",
        rows: Number(rows),
        finalized: finalized === true,
      });
    }
    return streams;
  }

  /** A new committed stream of `projects/…/datasets/…/tables/…`. */
  async create(parent: string): Promise<WriteStream> {
    const place = placeOf(parent);
    this.#table(place);
    const name = `${parent}/streams/${randomUUID()}`;
    const stream: WriteStream = { ...place, name, kind: "committed", rows: 0, finalized: false };
    await this.#engine.write((writer) =>
      writer.run("INSERT INTO catalog.streams VALUES (?, 0, false)", [name]),
    );
    this.#streams.set(name, stream);
    return stream;
  }

  get(name: string): WriteStream {
    const place = placeOf(name);
    this.#table(place);
    if (/\/(streams\/)?_default$/.test(name)) {
      return { ...place, name, kind: "default", rows: 0, finalized: false };
    }
    const found = this.#streams.get(name);
    if (found === undefined) throw new StreamFault(5, 3, `Requested entity was not found. Entity: ${name}`);
    return found;
  }

  /** Columns of the table that a stream writes to. */
  table(stream: WriteStream): Table {
    return this.#table(stream);
  }

  /** Append at an offset (anywhere, without one); the offset of the first row, undefined for a default stream. */
  async append(
    stream: WriteStream,
    offset: number | undefined,
    rows: CellValue[][],
  ): Promise<number | undefined> {
    const { dataset, table, name } = stream;
    const { fields } = this.#table(stream);
    return this.#engine.write(
      async (writer) => {
        if (stream.kind === "default") {
          if (offset !== undefined) throw new StreamFault(3, 0, "The default stream takes no offset");
          await writer.append(dataset, table, fields, rows);
          return undefined;
        }
        const at = nextOffset(stream, offset);
        await writer.append(dataset, table, fields, rows);
        await writer.run("UPDATE catalog.streams SET rows = ? WHERE name = ?", [
          BigInt(at + rows.length),
          name,
        ]);
        return at;
      },
      (at) => {
        if (at !== undefined) stream.rows = at + rows.length;
      },
    );
  }

  /** No more rows; how many there are. Finalizing again says the same. */
  async finalize(name: string): Promise<number> {
    const stream = this.get(name);
    if (stream.kind === "default") throw new StreamFault(3, 4, "The default stream cannot be finalized");
    return this.#engine.write(
      async (writer) => {
        await writer.run("UPDATE catalog.streams SET finalized = true WHERE name = ?", [name]);
        return stream.rows;
      },
      () => {
        stream.finalized = true;
      },
    );
  }

  #table({ project, dataset, table }: Pick<WriteStream, "project" | "dataset" | "table">): Table {
    try {
      return this.#catalog.table(project, dataset, table);
    } catch {
      throw new StreamFault(5, 1, `Requested entity was not found. Entity: ${project}.${dataset}.${table}`);
    }
  }
}

/** Where the next rows of a committed stream go, if they may go to `offset`. */
function nextOffset({ name, rows, finalized }: WriteStream, offset: number | undefined): number {
  if (finalized) throw new StreamFault(3, 6, `Stream is finalized. Entity: ${name}`);
  const told = `expected offset ${rows}, received ${offset}`;
  if (offset !== undefined && offset < rows)
    throw new StreamFault(6, 8, `The offset is within stream, ${told}`);
  if (offset !== undefined && offset > rows)
    throw new StreamFault(11, 9, `The offset is beyond stream, ${told}`);
  return rows;
}

function placeOf(path: string): Pick<WriteStream, "project" | "dataset" | "table"> {
  const [, project, dataset, table] = pathPattern.exec(path) ?? [];
  if (project === undefined || dataset === undefined || table === undefined) {
    throw new StreamFault(3, 0, `${path} names no table or stream`);
  }
  return { project, dataset, table };
}
