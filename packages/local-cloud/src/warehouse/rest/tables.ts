import { z } from "zod";
import { invalid, unsupportedSql } from "../faults.ts";
import type { Table } from "../store/catalog.ts";
import type { Store } from "../store/index.ts";
import { fromJson, tableField } from "../store/schema.ts";
import { checked } from "./http.ts";
import { restRows } from "./values.ts";

const settings = z.object({
  schema: z.object({ fields: z.array(tableField) }).optional(),
  description: z.string().optional(),
  timePartitioning: z.object({ type: z.literal("DAY"), field: z.string().optional() }).optional(),
  clustering: z.object({ fields: z.array(z.string()) }).optional(),
  view: z.object({ query: z.string() }).optional(),
});
const insert = settings.extend({ tableReference: z.object({ tableId: z.string() }) });

export async function createTable(
  store: Store,
  project: string,
  dataset: string,
  body: unknown,
): Promise<object> {
  const asked = checked(insert, body);
  const { schema, description, timePartitioning, clustering, view } = asked;
  if (view === undefined && schema === undefined) throw invalid("A table needs a schema, a view a query");
  const entry: Table = {
    dataset,
    id: asked.tableReference.tableId,
    fields: schema?.fields ?? [],
    ...(description === undefined ? {} : { description }),
    ...(timePartitioning?.field === undefined ? {} : { partitionBy: timePartitioning.field }),
    ...(clustering === undefined ? {} : { clusterBy: clustering.fields }),
    ...(view === undefined ? {} : { view: { ...view, sql: viewSql(store, project, view.query) } }),
    createdMs: Date.now(),
  };
  if (view !== undefined) {
    // Its columns, and that it can be answered at all.
    const { columns } = await store.query(project, `SELECT * FROM (${view.query}) AS view LIMIT 0`);
    entry.fields = columns.map(({ name, type }) => ({ name, type, mode: "NULLABLE" }));
  }
  await store.catalog.createTable(project, entry);
  return tableResource(project, entry);
}

export async function updateTable(
  store: Store,
  project: string,
  dataset: string,
  id: string,
  body: unknown,
): Promise<object> {
  const known = store.catalog.table(project, dataset, id);
  const { schema, description } = checked(settings, body);
  const entry: Table = {
    ...known,
    ...(schema === undefined ? {} : { fields: schema.fields }),
    ...(description === undefined ? {} : { description }),
  };
  await store.catalog.updateTable(project, entry);
  return tableResource(project, entry);
}

/** A view's query for DuckDB. One with noise would be stored without it. */
function viewSql(store: Store, project: string, query: string): string {
  const { sql, noise } = store.prepare(project, query);
  if (noise !== undefined) throw unsupportedSql("a view with a differential privacy clause");
  return sql;
}

export function tableResource(project: string, t: Table): object {
  return {
    kind: "bigquery#table",
    id: `${project}:${t.dataset}.${t.id}`,
    tableReference: { projectId: project, datasetId: t.dataset, tableId: t.id },
    type: t.view === undefined ? "TABLE" : "VIEW",
    description: t.description,
    schema: { fields: t.fields },
    creationTime: String(t.createdMs),
    ...(t.partitionBy === undefined ? {} : { timePartitioning: { type: "DAY", field: t.partitionBy } }),
    ...(t.clusterBy === undefined ? {} : { clustering: { fields: t.clusterBy } }),
    ...(t.view === undefined ? {} : { view: { query: t.view.query, useLegacySql: false } }),
  };
}

/** One page of a table's rows, as `tabledata.list` answers. */
export async function listRows(
  store: Store,
  project: string,
  table: Table,
  query: URLSearchParams,
): Promise<object> {
  const from = Number(query.get("pageToken") ?? query.get("startIndex") ?? 0);
  const count = Math.min(Number(query.get("maxResults") ?? 10_000), 10_000);
  if (!Number.isSafeInteger(from) || from < 0 || !Number.isSafeInteger(count) || count < 0) {
    throw invalid("pageToken, startIndex and maxResults must be whole numbers");
  }
  const { answer, total } = await store.rows(project, table, from, count);
  const next = from + answer.rows.length;
  return {
    kind: "bigquery#tableDataList",
    totalRows: String(total),
    rows: restRows(answer.columns, answer.rows, query.get("formatOptions.useInt64Timestamp") === "true"),
    ...(next < total && answer.rows.length > 0 ? { pageToken: String(next) } : {}),
  };
}

const insertAll = z.object({
  rows: z
    .array(z.object({ insertId: z.string().optional(), json: z.record(z.string(), z.unknown()) }))
    .min(1)
    .max(50_000),
  skipInvalidRows: z.boolean().default(false),
  ignoreUnknownValues: z.boolean().default(false),
});

/** How long an insertId is remembered: BigQuery promises at least a minute, and no more. */
const rememberMs = 60_000;

/** `tabledata.insertAll`: rows whose insertId came within the last minute are dropped. */
export class StreamingInserts {
  readonly #store: Store;
  readonly #seen = new Map<string, number>();

  constructor(store: Store) {
    this.#store = store;
  }

  async insert(table: Table, body: unknown, now = Date.now()): Promise<object> {
    const { rows, skipInvalidRows, ignoreUnknownValues } = checked(insertAll, body);
    const names = new Set(table.fields.map((f) => f.name));
    const errors: { index: number; errors: object[] }[] = [];
    const good = rows.flatMap(({ insertId, json }, index) => {
      try {
        const unknown = Object.keys(json).find((name) => !names.has(name));
        if (unknown !== undefined && !ignoreUnknownValues) throw invalid(`no such field: ${unknown}.`);
        return [{ insertId, values: table.fields.map((f) => fromJson(f, json[f.name])) }];
      } catch (error) {
        errors.push({ index, errors: [{ reason: "invalid", message: String(error) }] });
        return [];
      }
    });
    if (errors.length > 0 && !skipInvalidRows) {
      const bad = new Set(errors.map((e) => e.index));
      const stopped = [...rows.keys()].filter((index) => !bad.has(index));
      errors.push(...stopped.map((index) => ({ index, errors: [{ reason: "stopped", message: "" }] })));
    } else {
      this.#forget(now);
      const ids = good.map(({ insertId }) =>
        insertId === undefined ? undefined : `${table.dataset}.${table.id}/${insertId}`,
      );
      const fresh = good.filter((_, n) => {
        const id = ids[n];
        return id === undefined || (!this.#seen.has(id) && ids.indexOf(id) === n);
      });
      await this.#store.append(
        table,
        fresh.map((row) => row.values),
      );
      for (const id of ids) if (id !== undefined && !this.#seen.has(id)) this.#seen.set(id, now);
    }
    return {
      kind: "bigquery#tableDataInsertAllResponse",
      ...(errors.length > 0 ? { insertErrors: errors } : {}),
    };
  }

  #forget(now: number): void {
    for (const [id, at] of this.#seen) {
      if (at > now - rememberMs) return;
      this.#seen.delete(id);
    }
  }
}
