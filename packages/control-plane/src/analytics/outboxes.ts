import type { CellManifest } from "@proveniq/contracts";
import { listAside, resumeSink, retryAside } from "@proveniq/db/outbox/operations";
import type { DatabasePool } from "@proveniq/db/pool";
import type { Connections } from "../connections.ts";

/** The outboxes of one cell: one in each of its databases. */
export interface CellOutboxes {
  cell: string;
  project: string;
  databases: readonly string[];
  pool: DatabasePool;
}

/** A page that could not be read. */
export interface AsidePage {
  cell: string;
  database: string;
  name: string;
  reason: string;
  at: string;
}

/** The outboxes of every cell of a fleet. */
export function outboxesOf(
  connections: Pick<Connections, "cell">,
  manifests: Readonly<Record<string, CellManifest>>,
): CellOutboxes[] {
  return Object.entries(manifests).map(([cell, { project, databases }]) => ({
    cell,
    project,
    databases: databases.map((d) => d.id),
    pool: connections.cell(cell),
  }));
}

/** Every page that was set aside, and, with `retry`, back into its outbox. */
export async function asidePages(cells: readonly CellOutboxes[], retry = false): Promise<AsidePage[]> {
  const found: AsidePage[] = [];
  for (const { cell, databases, pool } of cells) {
    for (const database of databases) {
      const db = await pool.open(database);
      for (const { name, reason, at } of await listAside(db)) {
        found.push({ cell, database, name, reason, at: new Date(at).toISOString() });
      }
      if (retry) await retryAside(db);
    }
  }
  return found;
}

/** Let the sinks of a cell that stopped go on; the databases in which one had. */
export async function resumeSinks({ databases, pool, project }: CellOutboxes): Promise<string[]> {
  const resumed: string[] = [];
  for (const database of databases) {
    if (await resumeSink(await pool.open(database), `${project}/${database}`)) resumed.push(database);
  }
  return resumed;
}
