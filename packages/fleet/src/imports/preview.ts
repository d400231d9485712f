import type { ImportInput, RowNote } from "@proveniq/contracts";
import { chunkReader } from "@proveniq/rows";
import { recordsOf, requireUtf8, type SourceFile } from "./source.ts";

/** A row as the import would take it. */
export interface PreviewRow {
  row: number;
  op: "upsert" | "delete" | "blank" | "refused";
  item?: unknown;
  notes: readonly RowNote[];
}

/** The first records of a file as one text. */
export async function firstRecords(source: SourceFile, count: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const record of recordsOf(source)) {
    if (parts.length >= count) break;
    parts.push(record);
  }
  const bytes = Buffer.concat(parts);
  requireUtf8(bytes, 1, source.path);
  return bytes;
}

/** Map the first rows of a file, here and by the same code as in a cell. Nothing is sent. */
export async function previewRows(
  source: SourceFile,
  input: ImportInput,
  count: number,
): Promise<PreviewRow[]> {
  const chunk = chunkReader(input)(await firstRecords(source, count), 1);
  return chunk.read(0, chunk.rows, 1).map(({ at, mapped }) => ({
    row: at + 1,
    op: mapped.op,
    ...(mapped.op === "upsert" ? { item: mapped.input } : {}),
    ...(mapped.op === "delete" ? { item: { externalId: mapped.externalId } } : {}),
    notes: "notes" in mapped ? mapped.notes : [],
  }));
}

export function previewText(rows: readonly PreviewRow[]): string {
  return rows
    .flatMap(({ row, op, item, notes }) => [
      `row ${row}: ${op}${item === undefined ? "" : ` ${JSON.stringify(item)}`}`,
      ...notes.map((n) => `  ${n.level}: ${n.column ?? n.field ?? "row"}: ${n.message}`),
    ])
    .join("\n");
}
