import type { ImportMapping, Origin } from "./import-mapping.ts";
import { parseTemplate, templateColumns } from "./import-template.ts";

/** The parts of a field that may name columns. */
interface Reads extends Origin {
  firstOf?: Origin[] | undefined;
  bands?: Record<string, unknown> | undefined;
  currency?: { column?: string | undefined } | undefined;
}

/** Every column that a mapping reads, with a JSON pointer to where. */
export function columnsOf(mapping: ImportMapping): { column: string; path: string }[] {
  const found: { column: string; path: string }[] = [];
  const origin = (o: Origin, path: string) => {
    if (o.column !== undefined) found.push({ column: o.column, path: `${path}/column` });
    for (const column of templateColumns(o.template ?? "")) found.push({ column, path: `${path}/template` });
  };
  const field = (f: Reads, path: string) => {
    origin(f, path);
    for (const [n, o] of (f.firstOf ?? []).entries()) origin(o, `${path}/firstOf/${n}`);
    for (const column of Object.keys(f.bands ?? {})) found.push({ column, path: `${path}/bands` });
    if (f.currency?.column !== undefined)
      found.push({ column: f.currency.column, path: `${path}/currency/column` });
  };
  for (const [name, f] of Object.entries(mapping.fields)) if (f !== undefined) field(f, `/fields/${name}`);
  for (const [name, f] of Object.entries(mapping.attributes)) field(f, `/attributes/${name}`);
  if (mapping.op !== undefined) found.push({ column: mapping.op.column, path: "/op/column" });
  return found;
}

/** True when the things' ids depend on where they stand in the file. */
export function idsByRow(mapping: ImportMapping): boolean {
  const { template, firstOf } = mapping.fields.externalId;
  const byRow = (text: string | undefined) => {
    const parts = text === undefined ? [] : parseTemplate(text);
    return typeof parts !== "string" && parts.some((p) => "row" in p);
  };
  return byRow(template) || (firstOf?.some((o) => byRow(o.template)) ?? false);
}
