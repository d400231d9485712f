import { DuckDBDateValue, DuckDBTimestampValue, DuckDBTypeId, type DuckDBValue } from "@duckdb/node-api";
import { unsupportedSql } from "../faults.ts";
import type { ColumnType } from "./schema.ts";

export interface QueryColumn {
  name: string;
  type: ColumnType;
}

const types = new Map<DuckDBTypeId, ColumnType>([
  [DuckDBTypeId.VARCHAR, "STRING"],
  [DuckDBTypeId.BOOLEAN, "BOOLEAN"],
  [DuckDBTypeId.TINYINT, "INTEGER"],
  [DuckDBTypeId.SMALLINT, "INTEGER"],
  [DuckDBTypeId.INTEGER, "INTEGER"],
  [DuckDBTypeId.BIGINT, "INTEGER"],
  [DuckDBTypeId.HUGEINT, "INTEGER"],
  [DuckDBTypeId.DOUBLE, "FLOAT"],
  [DuckDBTypeId.DATE, "DATE"],
  [DuckDBTypeId.TIMESTAMP, "TIMESTAMP"],
  // An untyped NULL is an INT64 in GoogleSQL.
  [DuckDBTypeId.SQLNULL, "INTEGER"],
]);

export function queryColumn(name: string, id: DuckDBTypeId): QueryColumn {
  const type = types.get(id);
  if (type === undefined) throw unsupportedSql(`column ${name} has a type that it cannot answer with`);
  return { name, type };
}

const int64Max = 2n ** 63n - 1n;

/** A value as text, the way BigQuery's REST interface writes it: timestamps as microseconds. */
export function queryValue(value: DuckDBValue, type: ColumnType | undefined): string | null {
  if (value === null) return null;
  if (value instanceof DuckDBDateValue) return new Date(value.days * 86_400_000).toISOString().slice(0, 10);
  if (value instanceof DuckDBTimestampValue) return String(value.micros);
  if (typeof value === "bigint" && (value > int64Max || value < -int64Max - 1n)) {
    throw unsupportedSql("a sum is larger than an INT64");
  }
  if (type === "FLOAT" && typeof value === "number") {
    if (Number.isNaN(value)) return "NaN";
    if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  }
  return String(value);
}
