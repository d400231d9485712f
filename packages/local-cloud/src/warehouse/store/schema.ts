import { z } from "zod";
import { invalid } from "../faults.ts";

/** BigQuery's names of types, old and new, as the new ones; and what DuckDB keeps them as. */
const types = {
  STRING: ["STRING", "VARCHAR"],
  JSON: ["JSON", "VARCHAR"],
  INTEGER: ["INTEGER", "BIGINT"],
  INT64: ["INTEGER", "BIGINT"],
  FLOAT: ["FLOAT", "DOUBLE"],
  FLOAT64: ["FLOAT", "DOUBLE"],
  BOOLEAN: ["BOOLEAN", "BOOLEAN"],
  BOOL: ["BOOLEAN", "BOOLEAN"],
  DATE: ["DATE", "DATE"],
  TIMESTAMP: ["TIMESTAMP", "TIMESTAMP"],
} as const satisfies Record<string, readonly [string, string]>;
export type ColumnType = (typeof types)[keyof typeof types][0];

const typeName = z
  .string()
  .transform((name) => name.toUpperCase())
  .pipe(
    z.enum(Object.keys(types) as [keyof typeof types], {
      error: "is a type that the local warehouse does not keep",
    }),
  );

/** A column of a table, as clients send it. */
export const tableField = z.object({
  name: z.string().regex(/^[A-Za-z_]\w{0,299}$/, "is not a column's name"),
  type: typeName.transform((name): ColumnType => types[name][0]),
  mode: z
    .enum(["NULLABLE", "REQUIRED"], { error: "must be NULLABLE or REQUIRED: lists are not kept" })
    .default("NULLABLE"),
  description: z.string().optional(),
});
export type TableField = z.infer<typeof tableField>;

export const duckType = (type: ColumnType): string => types[type][1];

/** A column's value in DuckDB's terms; dates as days and timestamps as microseconds since 1970. */
export type CellValue = string | number | bigint | boolean | null;

const fail = (field: TableField, what: string): never => {
  throw invalid(`Field ${field.name}: ${what}`);
};

/**
 * A value as JSON clients (insertAll, load jobs) send it, checked strictly for its column. Throws a fault that names the column.
 */
export function fromJson(field: TableField, value: unknown): CellValue {
  if (value === null || value === undefined) {
    return field.mode === "REQUIRED" ? fail(field, "is required") : null;
  }
  switch (field.type) {
    case "STRING":
      return typeof value === "string" ? value : fail(field, "must be a string");
    case "JSON":
      return typeof value === "string" ? value : JSON.stringify(value);
    case "INTEGER":
      if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
      if (typeof value === "string" && /^-?\d{1,18}$/.test(value)) return BigInt(value);
      return fail(field, "must be an integer");
    case "FLOAT":
      if (typeof value === "number") return value;
      if (typeof value === "string" && value !== "" && Number.isFinite(Number(value))) return Number(value);
      return fail(field, "must be a number");
    case "BOOLEAN":
      if (typeof value === "boolean") return value;
      return value === "true" || value === "false" ? value === "true" : fail(field, "must be a boolean");
    case "DATE":
      return typeof value === "string" ? dayNumber(field, value) : fail(field, "must be a date, YYYY-MM-DD");
    case "TIMESTAMP":
      if (typeof value === "number") return BigInt(Math.round(value * 1_000_000));
      return typeof value === "string" ? micros(field, value) : fail(field, "must be a timestamp");
    default:
      return fail(field, "has an unknown type");
  }
}

/** A value as the Storage Write API sends it. */
export function fromWire(
  field: TableField,
  value: string | number | bigint | boolean | undefined,
): CellValue {
  if (value === undefined) return field.mode === "REQUIRED" ? fail(field, "is required") : null;
  if (field.type === "DATE" && typeof value === "bigint") return Number(value);
  if (field.type === "TIMESTAMP" && typeof value === "bigint") return value;
  if (field.type === "INTEGER" && typeof value === "bigint") return value;
  if (field.type === "FLOAT" && typeof value === "number") return value;
  if (field.type === "BOOLEAN" && typeof value === "boolean") return value;
  if (typeof value === "string" && ["STRING", "JSON", "DATE", "TIMESTAMP"].includes(field.type)) {
    return fromJson(field, value);
  }
  return fail(field, `cannot take a ${typeof value}`);
}

function dayNumber(field: TableField, text: string): number {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== text)
    return fail(field, "is not a date");
  return at / 86_400_000;
}

function micros(field: TableField, text: string): bigint {
  const zoned = /(Z|UTC|[+-]\d{2}:?\d{2})$/.test(text) ? text.replace(/ ?UTC$/, "Z") : `${text}Z`;
  const at = Date.parse(zoned.replace(" ", "T"));
  if (Number.isNaN(at)) return fail(field, "is not a timestamp");
  const fraction = /\.\d{3}(\d{1,3})/.exec(zoned)?.[1] ?? "";
  return BigInt(at) * 1000n + BigInt(fraction.padEnd(3, "0"));
}
