import type { BigQuery } from "@google-cloud/bigquery";

export type Value = string | number | boolean | null;

export interface QueryResult {
  columns: string[];
  rows: Value[][];
}

/** What the client answers third, unknown to its types: the response, which names the columns even without rows. */
type Schema = { fields?: { name?: string }[] };

/** Run GoogleSQL and read the whole result; dates and timestamps as ISO strings. */
export async function queryWarehouse(
  bigquery: BigQuery,
  sql: string,
  params: Record<string, string | number> = {},
): Promise<QueryResult> {
  const result: readonly unknown[] = await bigquery.query({ query: sql, params });
  const [rows, , answer] = result as [Record<string, unknown>[], unknown, { schema?: Schema } | undefined];
  const fields = answer?.schema?.fields?.map((f) => f.name ?? "") ?? Object.keys(rows[0] ?? {});
  return {
    columns: fields,
    rows: rows.map((row) => fields.map((name) => plain(row[name]))),
  };
}

/** The client wraps dates, timestamps and long integers in objects with a `value`. */
function plain(value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (typeof value === "object" && "value" in value) return plain(value.value);
  return JSON.stringify(value);
}

/** Rows as objects by column. */
export function asRecords({ columns, rows }: QueryResult): Record<string, Value>[] {
  return rows.map((row) => Object.fromEntries(columns.map((name, n) => [name, row[n] ?? null])));
}
