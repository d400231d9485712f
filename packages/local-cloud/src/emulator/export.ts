import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** One database of a running emulator. */
export interface EmulatedDatabase {
  /** `host:port` of the emulator itself. */
  host: string;
  project: string;
  database: string;
}

const name = "export";
/** 100,000 documents take about ten seconds. */
const withinMs = 300_000;

/** Write all documents of a database into `folder`, by the emulator's own export. Throws what the emulator says. */
export async function exportDatabase(from: EmulatedDatabase, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await ask(from, "export", { export_directory: folder, export_name: name });
}

/** Read what `exportDatabase` wrote into a database; false when the folder holds no export. */
export async function importDatabase(to: EmulatedDatabase, folder: string): Promise<boolean> {
  const file = join(folder, name, `${name}.overall_export_metadata`);
  if ((await stat(file).catch(() => undefined)) === undefined) return false;
  await ask(to, "import", { export_directory: file });
  return true;
}

/** The Firebase CLI's way to the emulator's exports; each call names its database, so that none is left out. */
async function ask(
  { host, project, database }: EmulatedDatabase,
  what: "export" | "import",
  body: Record<string, string>,
): Promise<void> {
  const response = await fetch(`http://${host}/emulator/v1/projects/${project}:${what}`, {
    method: "POST",
    headers: { authorization: "Bearer owner", "content-type": "application/json" },
    body: JSON.stringify({ database: `projects/${project}/databases/${database}`, ...body }),
    signal: AbortSignal.timeout(withinMs),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`The ${what} of ${database} failed (${response.status}): ${text.trim()}`);
}
