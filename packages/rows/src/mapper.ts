import {
  category,
  condition,
  type ImportMapping,
  type ItemInput,
  itemInput,
  type RowNote,
  reportColumns,
} from "@proveniq/contracts";
import type { Cell } from "./cells.ts";
import { isRefused, note, type RowContext } from "./context.ts";
import {
  attributeReader,
  dayReader,
  type FieldReader,
  keyReader,
  listReader,
  moneyReader,
  textReader,
} from "./fields.ts";
import { restored } from "./formulas.ts";
import { isPlainItem } from "./plain.ts";

/** An item as an import brings it: always with the partner's own id. */
export type ImportedItem = ItemInput & { externalId: string };

/** What a row asks for. `notes` of an upsert or delete are remarks only. */
export type MappedRow =
  | { op: "upsert"; input: ImportedItem; notes: RowNote[] }
  | { op: "delete"; externalId: string; notes: RowNote[] }
  | { op: "blank" }
  | {
      op: "refused";
      notes: RowNote[];
      /** What the row names, if that much could be read: a full import must not take it for gone. */
      externalId?: string;
    };

export type RowMapper = (cells: readonly Cell[], row: number) => MappedRow;

/** Longest text of each field; the item's schema has the same bounds. */
const longest = {
  externalId: 200,
  title: 300,
  description: 5000,
  serialNumber: 120,
  location: 200,
  ownerId: 128,
};

/**
 * Make the pure function from a row's cells to what it asks for. Throws when the mapping is not one that
 * `importInput` accepts for these columns.
 */
export function compileMapping(mapping: ImportMapping, columns: readonly string[]): RowMapper {
  const read = readers(mapping, columns);
  const clean = cleaner(mapping, columns);
  const op = operation(mapping, columns);

  return (raw, row) => {
    const ctx: RowContext = { cells: raw.map(clean), row, notes: [], kept: {} };
    if (ctx.cells.every((cell) => cell === "")) return { op: "blank" };
    const externalId = read.externalId(ctx);
    const asked = op(ctx);
    if (externalId === undefined && !isRefused(ctx)) {
      note(
        ctx,
        "error",
        "missing",
        { field: "/externalId" },
        "Has nothing to be known by: externalId is empty.",
      );
    }
    if (asked === "delete" && externalId !== undefined && !isRefused(ctx)) {
      return { op: "delete", externalId, notes: ctx.notes };
    }
    if (asked === "delete") return refused(ctx.notes, externalId);
    return upsert(ctx, externalId, read);
  };
}

function upsert(ctx: RowContext, externalId: string | undefined, read: Readers): MappedRow {
  const item: Record<string, unknown> = externalId === undefined ? {} : { externalId };
  for (const [name, reader] of read.fields) {
    const value = reader(ctx);
    if (value !== undefined) item[name] = value;
  }
  const attributes: Record<string, Cell> = {};
  let some = false;
  for (const [name, reader] of read.attributes) {
    const value = reader(ctx);
    if (value === undefined) continue;
    attributes[name] = value;
    some = true;
  }
  for (const [name, text] of Object.entries(ctx.kept)) {
    attributes[name] = text;
    some = true;
  }
  if (some) item["attributes"] = attributes;
  return checked(item, ctx.notes, read.columnOf);
}

/** Hold an item against the schema; `columnOf` finds the partner's column for a field. */
export function checked(
  item: Record<string, unknown>,
  notes: RowNote[],
  columnOf?: ReadonlyMap<string, string>,
): MappedRow {
  const { externalId: known } = item;
  if (typeof known === "string" && !isRefused({ notes }) && isPlainItem(item)) {
    return { op: "upsert", input: item as ImportedItem, notes };
  }
  const parsed = itemInput.safeParse(item);
  if (parsed.success && !isRefused({ notes })) {
    const { externalId } = parsed.data;
    if (externalId !== undefined) return { op: "upsert", input: { ...parsed.data, externalId }, notes };
    notes.push({
      level: "error",
      code: "missing",
      field: "/externalId",
      message: "An imported row needs an externalId.",
    });
  }
  if (!parsed.success) {
    const told = new Set(notes.flatMap((n) => (n.level === "error" ? [n.field] : [])));
    for (const issue of parsed.error.issues) {
      const field = `/${issue.path
        .slice(0, issue.path[0] === "attributes" ? 2 : 1)
        .map(String)
        .join("/")}`;
      if (told.has(field)) continue;
      told.add(field);
      const gone = item[String(issue.path[0])] === undefined;
      const column = columnOf?.get(field);
      notes.push({
        level: "error",
        code: gone && issue.code !== "unrecognized_keys" ? "missing" : "not-valid",
        field: issue.code === "unrecognized_keys" ? `/${issue.keys.join(", /")}` : field,
        ...(column === undefined ? {} : { column }),
        message:
          gone && issue.code !== "unrecognized_keys" ? "Is needed and empty." : sentence(issue.message),
      });
    }
  }
  return refused(notes, item["externalId"]);
}

function refused(notes: RowNote[], externalId: unknown): MappedRow {
  return { op: "refused", notes, ...(typeof externalId === "string" ? { externalId } : {}) };
}

function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/u.test(message) ? "" : "."}`;
}

interface Readers {
  externalId: FieldReader<string>;
  fields: [string, FieldReader<unknown>][];
  attributes: [string, FieldReader<Cell>][];
  columnOf: ReadonlyMap<string, string>;
}

function readers({ fields, attributes }: ImportMapping, columns: readonly string[]): Readers {
  const made: [string, FieldReader<unknown>][] = [];
  for (const name of ["title", "description", "serialNumber", "location", "ownerId"] as const) {
    const field = fields[name];
    if (field !== undefined) made.push([name, textReader(field, `/${name}`, columns, longest[name])]);
  }
  made.push(["category", listReader(fields.category, "/category", columns, category.options)]);
  if (fields.condition !== undefined) {
    made.push(["condition", listReader(fields.condition, "/condition", columns, condition.options)]);
  }
  if (fields.marketKey !== undefined)
    made.push(["marketKey", keyReader(fields.marketKey, "/marketKey", columns)]);
  for (const name of ["insuredValue", "purchasePrice"] as const) {
    const field = fields[name];
    if (field !== undefined) made.push([name, moneyReader(field, `/${name}`, columns)]);
  }
  if (fields.acquiredOn !== undefined)
    made.push(["acquiredOn", dayReader(fields.acquiredOn, "/acquiredOn", columns)]);
  const columnOf = new Map<string, string>();
  for (const [name, field] of Object.entries(fields))
    if (field?.column !== undefined) columnOf.set(`/${name}`, field.column);
  for (const [name, field] of Object.entries(attributes)) {
    if (field.column !== undefined) columnOf.set(`/attributes/${name}`, field.column);
  }
  return {
    externalId: textReader(fields.externalId, "/externalId", columns, longest.externalId),
    fields: made,
    attributes: Object.entries(attributes).map(([name, field]) => [
      name,
      attributeReader(field, `/attributes/${name}`, columns),
    ]),
    columnOf,
  };
}

/** Trim a cell, and empty it when it stands for nothing. In our own report, undo what kept it from being a formula. */
function cleaner({ nullTokens }: ImportMapping, columns: readonly string[]): (cell: Cell) => Cell {
  const nothing = new Set(nullTokens);
  const ownReport = columns.includes(reportColumns.row) && columns.includes(reportColumns.fault);
  return (cell) => {
    if (typeof cell !== "string") return cell;
    const text = (ownReport ? restored(cell) : cell).trim();
    return nothing.has(text) ? "" : text;
  };
}

function operation(
  { op }: ImportMapping,
  columns: readonly string[],
): (ctx: RowContext) => "upsert" | "delete" {
  if (op === undefined) return () => "upsert";
  const at = columns.indexOf(op.column);
  const gone = new Set(op.delete);
  const there = new Set(["", ...op.upsert]);
  return (ctx) => {
    const cell = String(ctx.cells[at] ?? "");
    if (gone.has(cell)) return "delete";
    if (!there.has(cell)) {
      note(
        ctx,
        "error",
        "not-listed",
        { field: "/op", column: op.column },
        "Is listed neither in op.delete nor in op.upsert.",
      );
    }
    return "upsert";
  };
}
