import { type Origin, parseTemplate, reportColumns } from "@proveniq/contracts";
import type { Cell } from "./cells.ts";
import { note, type Place, type RowContext } from "./context.ts";

/** Some of a template's cells are empty: nothing can be made of it, but that deserves a remark. */
const incomplete = Symbol("incomplete");

/**
 * More of a text than any field takes, in UTF-16 units. A longer one is cut or refused whatever becomes of its blanks and breaks, so that
 * no more of it is looked at, and no template makes more than a little more of it.
 */
export const longestText = 16_384;

/** The value that a field begins with; `""` when it is empty. */
export type Origination = (ctx: RowContext) => Cell;

/** How a cell becomes part of a template; undefined when it cannot, which has then been noted. */
export type PartTransform = (cell: Cell, column: string, ctx: RowContext) => string | undefined;

const plain: PartTransform = (cell) => String(cell);

interface Field extends Origin {
  firstOf?: Origin[] | undefined;
}

/** The column that a fault of this field is best shown at. */
export function placeOf(field: Field, pointer: string): Place {
  const { column } = field;
  return { field: pointer, column: column ?? field.firstOf?.find((o) => o.column !== undefined)?.column };
}

/** Make the function that finds a field's value in a row. `columns`: the file's, in their order. */
export function originate(
  field: Field,
  pointer: string,
  columns: readonly string[],
  transform: PartTransform = plain,
): Origination {
  const place = placeOf(field, pointer);
  const origins = (field.firstOf ?? [field]).map((origin) => single(origin, columns, transform));
  const [only] = origins;
  return (ctx) => {
    let torn = false;
    for (const origin of origins.length === 1 && only !== undefined ? [only] : origins) {
      const value = origin(ctx);
      if (value === incomplete) torn = true;
      else if (value !== "") return value;
    }
    if (torn) note(ctx, "warning", "incomplete", place, "A cell that its template needs is empty; left out.");
    return "";
  };
}

function single(
  origin: Origin,
  columns: readonly string[],
  transform: PartTransform,
): (ctx: RowContext) => Cell | typeof incomplete {
  const { column, constant, template } = origin;
  if (constant !== undefined) return () => constant;
  if (column !== undefined) {
    const at = columns.indexOf(column);
    if (transform === plain) return (ctx) => ctx.cells[at] ?? "";
    return (ctx) => {
      const cell = ctx.cells[at] ?? "";
      return cell === "" ? "" : (transform(cell, column, ctx) ?? "");
    };
  }
  return templated(template ?? "", columns, transform);
}

function templated(text: string, columns: readonly string[], transform: PartTransform) {
  const parsed = parseTemplate(text);
  if (typeof parsed === "string") throw new Error(`the template ${parsed}`);
  const rowColumn = columns.indexOf(reportColumns.row);
  const parts = parsed.map((part) =>
    "column" in part ? { ...part, at: columns.indexOf(part.column) } : part,
  );
  return (ctx: RowContext): string | typeof incomplete => {
    let made = "";
    let empty = 0;
    let filled = 0;
    for (const part of parts) {
      if ("text" in part) made += part.text;
      else if ("row" in part) made += rowNumber(ctx, rowColumn);
      else {
        const cell = ctx.cells[part.at] ?? "";
        const value = cell === "" ? "" : transform(cell, part.column, ctx);
        if (value === undefined) return "";
        if (value === "") empty++;
        else filled++;
        made += value.length > longestText ? value.slice(0, longestText + 1) : value;
      }
      if (made.length > longestText) return made;
    }
    if (empty === 0) return made;
    return filled === 0 ? "" : incomplete;
  };
}

/** In a mended error report the row keeps the number that it had in the file it came from. */
function rowNumber(ctx: RowContext, rowColumn: number): string {
  const cell = rowColumn < 0 ? "" : String(ctx.cells[rowColumn] ?? "");
  return /^[1-9]\d{0,9}$/u.test(cell) ? cell : String(ctx.row);
}
