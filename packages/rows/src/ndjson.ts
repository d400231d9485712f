import { columnsOf, type ImportMapping, type RowNote } from "@proveniq/contracts";
import type { Cell, Row } from "./cells.ts";
import { faultyRow } from "./cells.ts";
import { checked, type MappedRow } from "./mapper.ts";
import { type Span, scanLine } from "./spans.ts";

const bad = (message: string): RowNote => ({ level: "error", code: "not-json", message });

/** The first `max` lines that are not empty. `from`: where to begin, past a byte order mark. */
export function jsonSpans(bytes: Uint8Array, from: number, max: number): Span[] {
  const spans: Span[] = [];
  for (let at = from; at < bytes.length && spans.length < max; ) {
    const span = scanLine(bytes, at, true);
    if (span === undefined) break;
    if (span.end > span.start) spans.push(span);
    at = span.next;
  }
  return spans;
}

/** The object in a line, or the row that says why there is none. */
export function jsonObject(bytes: Buffer, span: Span): { object: Record<string, unknown> } | Row {
  if (span.fault !== undefined) return faultyRow(bytes, span);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString("utf8", span.start, span.end));
  } catch {
    return faultyRow(bytes, span, bad("The line is not JSON."));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return faultyRow(bytes, span, bad("The line must be one JSON object."));
  }
  if (Object.hasOwn(value, "__proto__"))
    return faultyRow(bytes, span, bad("The key __proto__ is not accepted."));
  return { object: value as Record<string, unknown> };
}

/** The keys that a mapping reads: the columns of NDJSON. */
export function jsonColumns(mapping: ImportMapping): string[] {
  return [...new Set(columnsOf(mapping).map((c) => c.column))];
}

/** An object's values in the order of `columns`; own keys only. Refused when one of them is a list or an object. */
export function jsonCells(object: Record<string, unknown>, columns: readonly string[]): Cell[] | RowNote {
  const cells: Cell[] = [];
  for (const column of columns) {
    const value = Object.hasOwn(object, column) ? object[column] : undefined;
    if (value === undefined || value === null) cells.push("");
    else if (typeof value === "object") {
      return {
        level: "error",
        code: "not-valid",
        column,
        message: "Is a list or an object; a mapping reads plain values.",
      };
    } else cells.push(value as Cell);
  }
  return cells;
}

/** A line without a mapping: an item as the API takes it, and `op`. */
export function directRow({ op, ...item }: Record<string, unknown>): MappedRow {
  if (op === undefined || op === "upsert") return checked(item, []);
  const { externalId } = item;
  if (op === "delete" && typeof externalId === "string" && externalId !== "") {
    return { op: "delete", externalId, notes: [] };
  }
  const message =
    op === "delete" ? "A row that deletes needs its externalId." : "Is neither upsert nor delete.";
  const field = op === "delete" ? "/externalId" : "/op";
  return {
    op: "refused",
    notes: [{ level: "error", code: "not-valid", field, message }],
    ...(typeof externalId === "string" ? { externalId } : {}),
  };
}
