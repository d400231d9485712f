import { z } from "zod";
import { notFound, WarehouseFault } from "../faults.ts";
import { type Engine, qualified, type Writer } from "./engine.ts";
import { duckType, tableField } from "./schema.ts";

export const dataset = z.object({
  project: z.string(),
  id: z.string().regex(/^[A-Za-z0-9_]{1,1024}$/, "is not a dataset's id"),
  location: z.string(),
  description: z.string().optional(),
  createdMs: z.number(),
});
export type Dataset = z.infer<typeof dataset>;

export const table = z.object({
  dataset: z.string(),
  id: z.string().regex(/^[A-Za-z0-9_]{1,1024}$/, "is not a table's id"),
  fields: z.array(tableField),
  description: z.string().optional(),
  /** Set for a view: its GoogleSQL and what that became. */
  view: z.object({ query: z.string(), sql: z.string() }).optional(),
  /** Column of its daily partitions. */
  partitionBy: z.string().optional(),
  clusterBy: z.array(z.string()).optional(),
  createdMs: z.number(),
});
export type Table = z.infer<typeof table>;

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Datasets and tables: kept beside their rows, known by heart. */
export class Catalog {
  readonly #engine: Engine;
  readonly #datasets = new Map<string, Dataset>();
  readonly #tables = new Map<string, Table>();

  private constructor(engine: Engine) {
    this.#engine = engine;
  }

  static async load(engine: Engine): Promise<Catalog> {
    const catalog = new Catalog(engine);
    await engine.write(async (writer) => {
      await writer.run("CREATE SCHEMA IF NOT EXISTS catalog");
      await writer.run(
        "CREATE TABLE IF NOT EXISTS catalog.entries (kind VARCHAR, name VARCHAR, entry VARCHAR)",
      );
    });
    const entries = await engine.read("SELECT kind, entry FROM catalog.entries");
    for (const [kind, text] of entries.getRows()) {
      const json: unknown = JSON.parse(String(text));
      if (kind === "dataset") {
        const known = dataset.parse(json);
        catalog.#datasets.set(known.id, known);
      } else {
        const known = table.parse(json);
        catalog.#tables.set(tableKey(known.dataset, known.id), known);
      }
    }
    return catalog;
  }

  datasets(project: string): Dataset[] {
    return [...this.#datasets.values()].filter((d) => d.project === project);
  }

  dataset(project: string, id: string): Dataset {
    const found = this.#datasets.get(id);
    if (found?.project !== project) throw notFound(`Dataset ${project}:${id}`);
    return found;
  }

  async createDataset(entry: Dataset): Promise<void> {
    const existing = this.#datasets.get(entry.id);
    if (existing?.project === entry.project) {
      throw new WarehouseFault(409, "duplicate", `Already Exists: Dataset ${entry.project}:${entry.id}`);
    }
    if (existing !== undefined) {
      throw new WarehouseFault(
        400,
        "invalid",
        `The local warehouse keeps one dataset of a name; ${entry.id} belongs to project ${existing.project}`,
      );
    }
    await this.#engine.write(async (writer) => {
      await writer.run(`CREATE SCHEMA ${quote(entry.id)}`);
      await save(writer, "dataset", entry.id, entry);
    });
    this.#datasets.set(entry.id, entry);
  }

  async deleteDataset(project: string, id: string, withContents: boolean): Promise<void> {
    this.dataset(project, id);
    const tables = this.tables(project, id);
    if (tables.length > 0 && !withContents) {
      throw new WarehouseFault(400, "resourceInUse", `Dataset ${project}:${id} is still in use`);
    }
    await this.#engine.write(async (writer) => {
      await writer.run(`DROP SCHEMA ${quote(id)} CASCADE`);
      for (const t of tables) await forget(writer, "table", tableKey(id, t.id));
      await forget(writer, "dataset", id);
    });
    for (const t of tables) this.#tables.delete(tableKey(id, t.id));
    this.#datasets.delete(id);
  }

  tables(project: string, datasetId: string): Table[] {
    this.dataset(project, datasetId);
    return [...this.#tables.values()].filter((t) => t.dataset === datasetId);
  }

  table(project: string, datasetId: string, id: string): Table {
    this.dataset(project, datasetId);
    const found = this.#tables.get(tableKey(datasetId, id));
    if (found === undefined) throw notFound(`Table ${project}:${datasetId}.${id}`);
    return found;
  }

  async createTable(project: string, entry: Table): Promise<void> {
    this.dataset(project, entry.dataset);
    const key = tableKey(entry.dataset, entry.id);
    if (this.#tables.has(key)) {
      throw new WarehouseFault(
        409,
        "duplicate",
        `Already Exists: Table ${project}:${entry.dataset}.${entry.id}`,
      );
    }
    const name = qualified(entry.dataset, entry.id);
    const columns = entry.fields.map(
      (f) => `${quote(f.name)} ${duckType(f.type)}${f.mode === "REQUIRED" ? " NOT NULL" : ""}`,
    );
    await this.#engine.write(async (writer) => {
      await writer.run(
        entry.view === undefined
          ? `CREATE TABLE ${name} (${columns.join(", ")})`
          : `CREATE VIEW ${name} AS ${entry.view.sql}`,
      );
      await save(writer, "table", key, entry);
    });
    this.#tables.set(key, entry);
  }

  /** New description, or columns added at the end (they can never be taken away). */
  async updateTable(project: string, entry: Table): Promise<void> {
    const known = this.table(project, entry.dataset, entry.id);
    const names = entry.fields.map((f) => f.name);
    if (!known.fields.every((f, n) => names[n] === f.name)) {
      throw new WarehouseFault(400, "invalid", "Provided Schema does not match: columns can only be added");
    }
    const added = entry.fields.slice(known.fields.length);
    const key = tableKey(entry.dataset, entry.id);
    await this.#engine.write(async (writer) => {
      for (const f of added) {
        await writer.run(
          `ALTER TABLE ${qualified(entry.dataset, entry.id)} ADD COLUMN ${quote(f.name)} ${duckType(f.type)}`,
        );
      }
      await forget(writer, "table", key);
      await save(writer, "table", key, entry);
    });
    this.#tables.set(key, entry);
  }

  async deleteTable(project: string, datasetId: string, id: string): Promise<void> {
    const { view } = this.table(project, datasetId, id);
    await this.#engine.write(async (writer) => {
      await writer.run(`DROP ${view === undefined ? "TABLE" : "VIEW"} ${qualified(datasetId, id)}`);
      await forget(writer, "table", tableKey(datasetId, id));
    });
    this.#tables.delete(tableKey(datasetId, id));
  }
}

const tableKey = (datasetId: string, id: string): string => `${datasetId}.${id}`;

async function save(writer: Writer, kind: string, name: string, entry: object): Promise<void> {
  await writer.run("INSERT INTO catalog.entries VALUES (?, ?, ?)", [kind, name, JSON.stringify(entry)]);
}

async function forget(writer: Writer, kind: string, name: string): Promise<void> {
  await writer.run("DELETE FROM catalog.entries WHERE kind = ? AND name = ?", [kind, name]);
}
