import type { CellManifest } from "@proveniq/contracts";
import { DeployBook, Registry } from "@proveniq/db/control";
import { MarketPublishing } from "@proveniq/db/market/publishing";
import { DatabasePool } from "@proveniq/db/pool";
import { GoogleAuth } from "google-auth-library";
import type { Fleet } from "./fleet/load.ts";
import { RefusedError } from "./refused.ts";

/** The databases that the control plane works on. Each is opened when it is used. */
export interface Connections {
  /** The registry in the central project. */
  control: Registry;
  /** Deploys and rollouts, in a database of their own beside it. */
  deploys: DeployBook;
  /** Published market values, beside them. */
  market: MarketPublishing;
  /** The databases of a cell: its tenants', and that of its market values. */
  cell(id: string): DatabasePool;
  close(): Promise<void>;
}

/** What a change of a tenant needs: where it is placed, and its cell's databases. */
export type TenantConnections = Pick<Connections, "control" | "cell">;

/** Every database that a cell has, its default one first. */
export function databasesOf({ databases, marketDatabase }: CellDatabases): string[] {
  return [...databases.map((d) => d.id), marketDatabase.id];
}

export type CellDatabases = Pick<CellManifest, "databases" | "marketDatabase">;

/**
 * The databases of a fleet, as infra/ names them: the cloud's, by the Google credentials of this machine, or those in the
 * emulators that `emulatorOf` names, of the centre or of a cell.
 */
export function openConnections(
  { config, manifests }: Fleet,
  emulatorOf?: (cell?: string) => string,
): Connections {
  const { project, controlDatabase, deployDatabase, marketDatabase } = config.central;
  const open = (projectId: string, allow: string[], cell?: string) =>
    new DatabasePool({
      projectId,
      allow,
      ...(emulatorOf === undefined ? {} : { emulatorHost: emulatorOf(cell) }),
    });
  const central = open(project, [controlDatabase, deployDatabase, marketDatabase]);
  const cells = new Map(
    Object.entries(manifests).map(([id, m]) => [id, open(m.project, databasesOf(m), id)]),
  );
  return {
    control: new Registry(central, controlDatabase),
    deploys: new DeployBook(central, deployDatabase),
    market: new MarketPublishing(() => central.open(marketDatabase)),
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
