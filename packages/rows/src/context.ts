import type { RowCode, RowNote } from "@proveniq/contracts";
import type { Cell } from "./cells.ts";

/** One row while it is being read: its cleaned cells, and what was found about it so far. */
export interface RowContext {
  cells: readonly Cell[];
  row: number;
  notes: RowNote[];
  /** Texts that could not be read and are kept as attributes. */
  kept: Record<string, string>;
}

/** Where a value comes from and goes to, for the report. */
export interface Place {
  field: string;
  column?: string | undefined;
}

export function note(
  ctx: RowContext,
  level: RowNote["level"],
  code: RowCode,
  place: Place,
  message: string,
): void {
  ctx.notes.push({
    level,
    code,
    field: place.field,
    ...(place.column === undefined ? {} : { column: place.column }),
    message,
  });
}

export function isRefused(ctx: Pick<RowContext, "notes">): boolean {
  return ctx.notes.some((n) => n.level === "error");
}

/** A text that could not be read: kept as an attribute with a warning when the mapping says where, else refused. */
export function unreadable(
  ctx: RowContext,
  code: RowCode,
  place: Place,
  text: string,
  message: string,
  keepAs: string | undefined,
): undefined {
  if (keepAs === undefined) {
    note(ctx, "error", code, place, message);
  } else {
    ctx.kept[keepAs] = cut(text, 500);
    note(ctx, "warning", code, place, `${message} Kept as the attribute ${keepAs}.`);
  }
  return undefined;
}

/** At most `max` UTF-16 units, the last of them an ellipsis when something was left out. No character is halved. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const head = text.slice(0, max - 1);
  return `${/[\ud800-\udbff]$/.test(head) ? head.slice(0, -1) : head}…`;
}
