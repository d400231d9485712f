import { z } from "zod";
import { invalid } from "../faults.ts";
import type { Store } from "../store/index.ts";
import { fromJson } from "../store/schema.ts";
import { parseJson } from "./http.ts";

export const loadSettings = z.object({
  destinationTable: z.object({ datasetId: z.string(), tableId: z.string() }),
  sourceFormat: z.literal("NEWLINE_DELIMITED_JSON", { error: "must be NEWLINE_DELIMITED_JSON here" }),
  writeDisposition: z.enum(["WRITE_APPEND", "WRITE_TRUNCATE", "WRITE_EMPTY"]).default("WRITE_APPEND"),
});

const object = z.record(z.string(), z.unknown());

/** A load job from a file of JSON lines, into a table or one day of it (`table$YYYYMMDD`). The count of rows. */
export async function loadRows(
  store: Store,
  project: string,
  { destinationTable, writeDisposition }: z.infer<typeof loadSettings>,
  file: Buffer,
): Promise<number> {
  const [id = "", decorator] = destinationTable.tableId.split("$");
  const table = store.catalog.table(project, destinationTable.datasetId, id);
  const day = decorator === undefined ? undefined : partitionDay(decorator);
  const lines = file
    .toString("utf8")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const rows = lines.map((line, n) => {
    const row = object.safeParse(parseJson(line));
    if (!row.success) throw invalid(`Line ${n + 1} is not a JSON object`);
    const unknown = Object.keys(row.data).find((name) => !table.fields.some((f) => f.name === name));
    if (unknown !== undefined) throw invalid(`No such field: ${unknown} (line ${n + 1})`);
    if (day !== undefined && row.data[table.partitionBy ?? ""] !== day) {
      throw invalid(`Line ${n + 1} does not belong to partition ${decorator}`);
    }
    return table.fields.map((field) => fromJson(field, row.data[field.name]));
  });
  if (writeDisposition === "WRITE_TRUNCATE") await store.replace(table, day, rows);
  else if (writeDisposition === "WRITE_EMPTY") await store.fill(table, day, rows);
  else await store.append(table, rows);
  return rows.length;
}

function partitionDay(decorator: string): string {
  const [, year, month, date] = /^(\d{4})(\d{2})(\d{2})$/.exec(decorator) ?? [];
  if (year === undefined) throw invalid(`Invalid partition decorator: ${decorator}`);
  return `${year}-${month}-${date}`;
}
