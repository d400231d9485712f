import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDateValue,
  DuckDBInstance,
  type DuckDBResultReader,
  DuckDBTimestampValue,
  type DuckDBValue,
} from "@duckdb/node-api";
import { macros } from "../sql/allowed.ts";
import type { CellValue, TableField } from "./schema.ts";

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const qualified = (dataset: string, table: string): string => `${quote(dataset)}.${quote(table)}`;

/** DuckDB with one writer, whose transactions run one after the other, and a reader beside it. */
export class Engine {
  readonly #instance: DuckDBInstance;
  readonly #writer: DuckDBConnection;
  readonly #reader: DuckDBConnection;
  #last: Promise<unknown> = Promise.resolve();
  #reading: Promise<unknown> = Promise.resolve();

  private constructor(instance: DuckDBInstance, writer: DuckDBConnection, reader: DuckDBConnection) {
    this.#instance = instance;
    this.#writer = writer;
    this.#reader = reader;
  }

  /** `file`: where it is kept; in memory without one. */
  static async open(file?: string): Promise<Engine> {
    const instance = await DuckDBInstance.create(file ?? ":memory:", {
      threads: "2",
      memory_limit: "1GB",
      // As BigQuery sorts: NULL is the smallest value.
      default_null_order: "nulls_first_on_asc_last_on_desc",
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
    });
    const writer = await instance.connect();
    for (const sql of macros) await writer.run(sql);
    return new Engine(instance, writer, await instance.connect());
  }

  /**
   * Run some changes as one transaction: all of them are on disk when it resolves, or none after it rejects.
   * `committed` is called before the next transaction begins.
   */
  write<T>(work: (writer: Writer) => Promise<T>, committed?: (result: T) => void): Promise<T> {
    const done = this.#last.then(async () => {
      await this.#writer.run("BEGIN");
      try {
        const result = await work(new Writer(this.#writer));
        await this.#writer.run("COMMIT");
        committed?.(result);
        return result;
      } catch (error) {
        await this.#writer.run("ROLLBACK");
        throw error;
      }
    });
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** The result of a query. */
  read(sql: string, values: Record<string, DuckDBValue> | DuckDBValue[] = []): Promise<DuckDBResultReader> {
    const done = this.#reading.then(() => this.#reader.runAndReadAll(sql, values));
    this.#reading = done.catch(() => undefined);
    return done;
  }

  async close(): Promise<void> {
    await Promise.all([this.#last, this.#reading]);
    this.#reader.closeSync();
    this.#writer.closeSync();
    this.#instance.closeSync();
  }
}

/** Changes within one transaction. */
export class Writer {
  readonly #connection: DuckDBConnection;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  async run(sql: string, values: DuckDBValue[] = []): Promise<void> {
    await this.#connection.run(sql, values);
  }

  /** Whether a query has any row. */
  async holds(sql: string, values: DuckDBValue[]): Promise<boolean> {
    return (await this.#connection.runAndReadAll(sql, values)).getRows().length > 0;
  }

  /** Rows of a table, values in the order of its fields. */
  async append(
    dataset: string,
    table: string,
    fields: readonly TableField[],
    rows: readonly CellValue[][],
  ): Promise<void> {
    if (rows.length === 0) return;
    const appender = await this.#connection.createAppender(table, dataset);
    for (const row of rows) {
      for (const [n, field] of fields.entries()) appendValue(appender, field, row[n] ?? null);
      appender.endRow();
    }
    appender.closeSync();
  }
}

function appendValue(appender: DuckDBAppender, field: TableField, value: CellValue): void {
  if (value === null) appender.appendNull();
  else if (typeof value === "string") appender.appendVarchar(value);
  else if (typeof value === "boolean") appender.appendBoolean(value);
  else if (field.type === "DATE") appender.appendDate(new DuckDBDateValue(Number(value)));
  else if (field.type === "TIMESTAMP") appender.appendTimestamp(new DuckDBTimestampValue(BigInt(value)));
  else if (typeof value === "bigint") appender.appendBigInt(value);
  else appender.appendDouble(value);
}
