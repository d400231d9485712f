import type { QueryColumn } from "../store/results.ts";

/** Rows as `{f: [{v}]}`; timestamps as microseconds, or as seconds for clients that did not ask for them. */
export function restRows(
  columns: readonly QueryColumn[],
  rows: readonly (string | null)[][],
  int64Timestamps: boolean,
): { f: { v: string | null }[] }[] {
  return rows.map((row) => ({
    f: row.map((value, n) => ({
      v: columns[n]?.type === "TIMESTAMP" && value !== null && !int64Timestamps ? seconds(value) : value,
    })),
  }));
}

const seconds = (micros: string): string => String(Number(micros) / 1e6);

export function restSchema(columns: readonly QueryColumn[]): object {
  return { fields: columns.map(({ name, type }) => ({ name, type, mode: "NULLABLE" })) };
}
