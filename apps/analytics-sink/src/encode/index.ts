import { createHash } from "node:crypto";
import type { Column, WarehouseTable } from "@proveniq/contracts/warehouse";
import { Wire } from "./wire.ts";

/** Numbers of google.protobuf.FieldDescriptorProto. */
const protoType = { STRING: 9, INT64: 3, DATE: 5, TIMESTAMP: 3 } as const satisfies Record<
  Column["type"],
  number
>;
const optionalLabel = 1;

/** The message type of a table's rows, as the Storage Write API wants it: field n is the table's column n. */
export function rowDescriptor(table: WarehouseTable) {
  return {
    name: `row_${table.name}`,
    field: table.columns.map(({ name, type }, n) => ({
      name,
      number: n + 1,
      type: protoType[type],
      label: optionalLabel,
    })),
  };
}

/**
 * Rows as bytes. Every row is checked against the table's schema first: the warehouse would take an unknown field
 * or a wrong type without a word.
 */
export function encodeRows(table: WarehouseTable, rows: readonly object[]): Buffer[] {
  const wire = new Wire();
  return rows.map((row) => {
    const checked: Record<string, unknown> = table.row.parse(row);
    for (const [n, { name, type }] of table.columns.entries()) {
      const value = checked[name];
      if (typeof value === "number") wire.int(n + 1, value);
      else if (typeof value !== "string") throw new Error(`${table.name}.${name} is neither text nor number`);
      else if (type === "DATE") wire.int(n + 1, Date.parse(value) / 86_400_000);
      else if (type === "TIMESTAMP") wire.int(n + 1, Date.parse(value) * 1000);
      else wire.string(n + 1, value);
    }
    return wire.take();
  });
}

/** SHA-256 (hex) over lists of rows, each with its length in front, so that no two lists look alike. */
export function digestRows(...lists: readonly Buffer[][]): string {
  const hash = createHash("sha256");
  for (const list of lists) {
    hash.update(`${list.length};`);
    for (const row of list) hash.update(`${row.length}:`).update(row);
  }
  return hash.digest("hex");
}
