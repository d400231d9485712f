import type { CellManifest } from "@proveniq/contracts";
import { DeployBook, Registry } from "@proveniq/db/control";
import { DatabasePool } from "@proveniq/db/pool";
import { GoogleAuth } from "google-auth-library";
import type { Fleet } from "./fleet/load.ts";
import { RefusedError } from "./refused.ts";

/** The databases that the control plane works on. Whoever calls it opens and closes them. */
export interface Connections {
  /** The registry in the central project. */
  control: Registry;
  /** Deploys and rollouts, in a database of their own beside it. */
  deploys: DeployBook;
  /** The databases of a cell: its tenants', and that of its market values. */
  cell(id: string): DatabasePool;
}

/** Every database that a cell has, its default one first. */
export function databasesOf({ databases, marketDatabase }: CellDatabases): string[] {
  return [...databases.map((d) => d.id), marketDatabase.id];
}

export type CellDatabases = Pick<CellManifest, "databases" | "marketDatabase">;

/**
 * The cloud's databases, as infra/ names them, by the Google credentials of this machine; with `emulatorHost` all of them in
 * one emulator, for tests. Opens nothing before it is used.
 */
export function openConnections(
  { config, manifests }: Fleet,
  emulatorHost?: string,
): Connections & { close(): Promise<void> } {
  const { project, controlDatabase, deployDatabase } = config.central;
  const where = emulatorHost === undefined ? {} : { emulatorHost };
  const central = new DatabasePool({
    projectId: project,
    allow: [controlDatabase, deployDatabase],
    ...where,
  });
  const cells = new Map(
    Object.entries(manifests).map(([id, m]) => [
      id,
      new DatabasePool({ projectId: m.project, allow: databasesOf(m), ...where }),
    ]),
  );
  return {
    control: new Registry(central, controlDatabase),
    deploys: new DeployBook(central, deployDatabase),
    cell: (id) => {
      const pool = cells.get(id);
      if (pool === undefined) throw new Error(`there is no cell ${id}`);
      return pool;
    },
    close: async () => {
      await Promise.all([central, ...cells.values()].map((pool) => pool.close()));
    },
  };
}

/** Throws `RefusedError` when this machine has no Google credentials: clients would fail much later, and with nobody to tell. */
export async function findCredentials(): Promise<void> {
  await new GoogleAuth().getClient().catch((cause: unknown) => {
    const reason = cause instanceof Error ? (cause.message.split(".")[0] ?? "") : "unknown";
    throw new RefusedError(
      `No Google credentials can be used here (${reason}). Run \`gcloud auth application-default login\`.`,
    );
  });
}
