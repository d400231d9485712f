import { columnsOf, type ImportMapping, itemInput, type RowNote } from "@proveniq/contracts";
import { type Cell, type FaultyRow, faultyRow } from "./cells.ts";
import { checked, deletesNothing, isExternalId, type MappedRow, refused } from "./mapper.ts";
import { exactJsonNumber } from "./numbers.ts";
import { afterEmptyLines, type Span, scanLine } from "./spans.ts";

const bad = (message: string): RowNote => ({ level: "error", code: "not-json", message });

/** The first `max` lines that are not empty. `from`: where to begin, past a byte order mark. */
export function jsonSpans(bytes: Uint8Array, from: number, max: number): Span[] {
  const spans: Span[] = [];
  for (let at = from; spans.length < max; ) {
    at = afterEmptyLines(bytes, at, "lf");
    const span = at < bytes.length ? scanLine(bytes, at, true) : undefined;
    if (span === undefined) break;
    if (span.end > span.start) spans.push(span);
    at = span.next;
  }
  return spans;
}

/**
 * The object in a line, or the row that says why there is none; undefined for a line of blanks. `inexact`: what becomes of a number
 * with more digits than a number holds: it is refused, or stays the text that it is, so that no digit is lost.
 */
export function jsonObject(
  bytes: Buffer,
  span: Span,
  inexact: "refuse" | "text",
): { object: Record<string, unknown> } | FaultyRow | undefined {
  const fault = (note?: RowNote) => faultyRow(bytes, span, note);
  if (span.fault !== undefined) return fault();
  const text = bytes.toString("utf8", span.start, span.end);
  let value: unknown;
  try {
    value = mayBeInexact(text) ? parseExactly(text, inexact) : JSON.parse(text);
  } catch (error) {
    if (error instanceof InexactNumber) return fault({ ...error.note });
    return text.trim() === "" ? undefined : fault(bad("The line is not JSON."));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return fault(bad("The line must be one JSON object."));
  }
  if (Object.hasOwn(value, "__proto__")) return fault(bad("The key __proto__ is not accepted."));
  return { object: value as Record<string, unknown> };
}

/** Without sixteen digits in a row, nor an exponent of two, every number of a line is what it says. */
function mayBeInexact(text: string): boolean {
  return /[\d.]{16}/u.test(text) || /\d[eE][+-]?\d{2,}\s*[,}\]]/u.test(text);
}

class InexactNumber extends Error {
  readonly note: RowNote;
  constructor(key: string) {
    super("a number has too many digits");
    const where =
      key === "" || /^\d+$/u.test(key) ? "A number" : `The number ${JSON.stringify(key.slice(0, 40))}`;
    this.note = {
      level: "error",
      code: "not-valid",
      message: `${where} has more digits than a number can hold. Write it as a text, in quotes.`,
    };
  }
}

/** `JSON.parse` hands out the very text of each number; TypeScript does not know of it yet. */
type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;
const parseWithSources = JSON.parse as (text: string, reviver: Reviver) => unknown;

function parseExactly(text: string, inexact: "refuse" | "text"): unknown {
  return parseWithSources(text, (key, value, { source }) => {
    if (typeof value !== "number" || source === undefined) return value;
    const exact = exactJsonNumber(source);
    if (exact !== undefined) return exact;
    if (inexact === "text") return source;
    throw new InexactNumber(key);
  });
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

/** An item's, and `op`. */
const mostFields = Object.keys(itemInput.shape).length + 1;

/** A line without a mapping: an item as the API takes it, and `op`. */
export function directRow(object: Record<string, unknown>): MappedRow {
  const count = Object.keys(object).length;
  if (count > mostFields) {
    // Not one by one: a line has room for tens of thousands.
    const message = `Has ${count} fields; an item has ${mostFields - 1} at most.`;
    return refused([{ level: "error", code: "not-valid", message }], object["externalId"]);
  }
  const { op, ...item } = object;
  if (op === undefined || op === "upsert") return checked(item, []);
  const { externalId } = item;
  if (op !== "delete") {
    const note: RowNote = {
      level: "error",
      code: "not-valid",
      field: "/op",
      message: "Is neither upsert nor delete.",
    };
    return refused([note], externalId);
  }
  if (isExternalId(externalId)) return { op, externalId, notes: [] };
  return refused([{ ...deletesNothing }], externalId);
}
