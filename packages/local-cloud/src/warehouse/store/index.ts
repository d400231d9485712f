import type { DuckDBValue } from "@duckdb/node-api";
import { invalid, WarehouseFault } from "../faults.ts";
import { addNoise } from "../sql/noise.ts";
import { type TranslatedQuery, translate } from "../sql/translate.ts";
import { Catalog, type Table } from "./catalog.ts";
import { Engine, qualified } from "./engine.ts";
import { type QueryColumn, queryColumn, queryValue } from "./results.ts";
import type { CellValue } from "./schema.ts";
import { Streams } from "./streams.ts";

export interface QueryAnswer {
  columns: QueryColumn[];
  /** Values as BigQuery's REST interface writes them. */
  rows: (string | null)[][];
  location: string;
}

/** All that the local warehouse keeps. */
export class Store {
  readonly catalog: Catalog;
  readonly streams: Streams;
  readonly #engine: Engine;

  private constructor(engine: Engine, catalog: Catalog, streams: Streams) {
    this.#engine = engine;
    this.catalog = catalog;
    this.streams = streams;
  }

  /** `file`: where it is kept; in memory without one. */
  static async open(file?: string): Promise<Store> {
    const engine = await Engine.open(file);
    const catalog = await Catalog.load(engine);
    return new Store(engine, catalog, await Streams.load(engine, catalog));
  }

  /** GoogleSQL as DuckDB's, its tables known and all in one location. */
  prepare(project: string, sql: string, defaultDataset?: string): TranslatedQuery & { location: string } {
    const query = translate(sql, { project, defaultDataset });
    const locations = new Map<string, string>();
    for (const { dataset, table } of query.tables) {
      this.catalog.table(project, dataset, table);
      locations.set(this.catalog.dataset(project, dataset).location, dataset);
    }
    const [first, second] = locations.keys();
    if (second !== undefined) {
      throw new WarehouseFault(
        404,
        "notFound",
        `Not found: Dataset ${project}:${locations.get(second)} was not found in location ${first}: a query reads one location only`,
      );
    }
    return { ...query, location: first ?? "US" };
  }

  async query(
    project: string,
    sql: string,
    parameters: Record<string, DuckDBValue> = {},
    defaultDataset?: string,
  ): Promise<QueryAnswer> {
    const prepared = this.prepare(project, sql, defaultDataset);
    const reader = await this.#engine.read(prepared.sql, parameters).catch((error: unknown) => {
      throw new WarehouseFault(400, "invalidQuery", `The query failed: ${String(error).split("\n")[0]}`);
    });
    const { noise } = prepared;
    const columns = reader
      .columnNames()
      .slice(0, noise?.scales.length)
      .map((name, n) => queryColumn(name, reader.columnTypeId(n)));
    const names = columns.map((c) => c.name.toLowerCase());
    const twice = names.find((name, n) => names.indexOf(name) !== n);
    if (twice !== undefined) {
      throw new WarehouseFault(400, "invalidQuery", `Duplicate column name in the result: ${twice}`);
    }
    const exact = reader.getRows();
    const rows = (noise === undefined ? exact : addNoise(exact, noise)).map((row) =>
      row.map((value, n) => queryValue(value, columns[n]?.type)),
    );
    return { columns, rows, location: prepared.location };
  }

  /** Rows of a table or view from a position, and how many it has. */
  async rows(
    project: string,
    table: Table,
    from: number,
    count: number,
  ): Promise<{ answer: QueryAnswer; total: number }> {
    const name = `\`${project}.${table.dataset}.${table.id}\``;
    const answer = await this.query(project, `SELECT * FROM ${name} LIMIT ${count} OFFSET ${from}`);
    const total = await this.query(project, `SELECT COUNT(*) AS n FROM ${name}`);
    return { answer, total: Number(total.rows[0]?.[0] ?? 0) };
  }

  async append(table: Table, rows: CellValue[][]): Promise<void> {
    if (table.view !== undefined) throw invalid(`${table.id} is a view: rows cannot be added to it`);
    await this.#engine.write((writer) => writer.append(table.dataset, table.id, table.fields, rows));
  }

  /** Put rows in the place of a whole table, or of one of its days. */
  async replace(table: Table, day: string | undefined, rows: CellValue[][]): Promise<void> {
    const { partitionBy } = table;
    if (day !== undefined && partitionBy === undefined) throw invalid(`${table.id} is not partitioned`);
    const name = qualified(table.dataset, table.id);
    await this.#engine.write(async (writer) => {
      if (day === undefined) await writer.run(`DELETE FROM ${name}`);
      else await writer.run(`DELETE FROM ${name} WHERE "${partitionBy}" = CAST(? AS DATE)`, [day]);
      await writer.append(table.dataset, table.id, table.fields, rows);
    });
  }

  /** Put rows into a table, or one of its days, that has none yet. Throws a fault when it has. */
  async fill(table: Table, day: string | undefined, rows: CellValue[][]): Promise<void> {
    const name = qualified(table.dataset, table.id);
    if (day !== undefined && table.partitionBy === undefined) throw invalid(`${table.id} is not partitioned`);
    const [where, values] =
      day === undefined ? ["", []] : [` WHERE "${table.partitionBy}" = CAST(? AS DATE)`, [day]];
    await this.#engine.write(async (writer) => {
      if (await writer.holds(`SELECT 1 FROM ${name}${where} LIMIT 1`, values)) {
        throw new WarehouseFault(
          409,
          "duplicate",
          `Already Exists: Table ${table.dataset}.${table.id} has rows`,
        );
      }
      await writer.append(table.dataset, table.id, table.fields, rows);
    });
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}
