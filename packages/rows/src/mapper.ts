import {
  category,
  condition,
  externalId as externalIdSchema,
  type ImportMapping,
  type ItemInput,
  itemInput,
  type RowNote,
  reportColumns,
} from "@proveniq/contracts";
import { type Cell, trimmed } from "./cells.ts";
import { cut, isRefused, note, type RowContext } from "./context.ts";
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
    if (asked === "upsert") return upsert(ctx, externalId, read);
    if (isRefused(ctx)) return refused(ctx.notes, externalId);
    if (isExternalId(externalId)) return { op: "delete", externalId, notes: ctx.notes };
    return refused([...ctx.notes, deletesNothing], externalId);
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
  const { attributes, ...rest } = item;
  const crowded =
    typeof attributes === "object" && attributes !== null && Object.keys(attributes).length > 50;
  if (crowded) {
    // Not one by one: a line has room for tens of thousands.
    notes.push({ ...invalid, field: "/attributes", message: "Must not have more than 50 entries." });
  }
  const parsed = itemInput.safeParse(crowded ? rest : item);
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
    for (const issue of parsed.error.issues.slice(0, mostFaults)) {
      const unknown =
        issue.code === "unrecognized_keys" ? issue.keys.slice(0, mostFaults).join(", /") : undefined;
      const path = issue.path.slice(0, issue.path[0] === "attributes" ? 2 : 1).map(String);
      const field = cut(`/${unknown ?? path.join("/")}`, 200);
      if (told.has(field)) continue;
      told.add(field);
      const isMissing = unknown === undefined && item[String(issue.path[0])] === undefined;
      const column = columnOf?.get(field);
      notes.push({
        ...invalid,
        ...(isMissing ? { code: "missing" } : {}),
        field,
        ...(column === undefined ? {} : { column }),
        message: isMissing ? "Is needed and empty." : sentence(issue.message),
      });
    }
  }
  return refused(notes, item["externalId"]);
}

/** Faults of one row that are told one by one. */
const mostFaults = 20;
const invalid = { level: "error", code: "not-valid" } as const;

/** Whether a thing can be known by that. What cannot is named by no row, whatever the row says. */
export function isExternalId(value: unknown): value is string {
  return externalIdSchema.safeParse(value).success;
}

/** A row of the op `delete` whose id is none. */
export const deletesNothing: RowNote = {
  ...invalid,
  field: "/externalId",
  message: "A row that deletes needs the externalId of a thing: printable, without a blank at either end.",
};

/** A row that does not go in. It names a thing only by an id that a thing can have. */
export function refused(notes: RowNote[], externalId: unknown): MappedRow {
  return { op: "refused", notes, ...(isExternalId(externalId) ? { externalId } : {}) };
}

function sentence(message: string): string {
  const short = cut(message, 300);
  return `${short.charAt(0).toUpperCase()}${short.slice(1)}${/[.!?…]$/u.test(short) ? "" : "."}`;
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
  const longestToken = Math.max(-1, ...nullTokens.map((token) => token.length));
  const ownReport = columns.includes(reportColumns.row) && columns.includes(reportColumns.fault);
  return (cell) => {
    if (typeof cell !== "string") return cell;
    const text = trimmed(ownReport ? restored(cell) : cell);
    return text.length <= longestToken && nothing.has(text) ? "" : text;
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
