import { join } from "node:path";
import { loadFleet } from "@proveniq/control-plane";
import { type CellOutboxes, openWarehouse, outboxesOf } from "@proveniq/control-plane/analytics";
import { root } from "./paths.ts";
import { runningFleet, withRegistry } from "./registry.ts";

export interface AnalyticsOptions {
  /** Google Cloud project of the warehouse; without one the local fleet's is meant. */
  project?: string;
  json?: boolean;
  stateDir?: string;
}

/** The warehouse that is meant: BigQuery in a project, or the local fleet's stand-in. */
export async function warehouseOf(options: AnalyticsOptions) {
  const { project } = options;
  if (project !== undefined) return { bigquery: openWarehouse({ project }), project };
  const { warehouse } = await runningFleet(options);
  return {
    bigquery: openWarehouse({ project: warehouse.project, endpoint: warehouse.rest }),
    project: warehouse.project,
  };
}

/** Work on the outboxes of every cell: of the repository's manifests in the cloud, or of the local fleet. */
export async function withOutboxes<T>(
  options: AnalyticsOptions,
  work: (cells: CellOutboxes[]) => Promise<T>,
): Promise<T> {
  if (options.project === undefined) {
    return withRegistry(options, ({ connections, manifests }) =>
      work(
        Object.entries(manifests).map(([cell, { project, databases }]) => ({
          cell,
          project,
          databases: databases.map((d) => d.id),
          pool: connections.cell(cell),
        })),
      ),
    );
  }
  const { manifests } = await loadFleet(join(root, "infra"));
  const cells = outboxesOf(manifests);
  try {
    return await work(cells);
  } finally {
    await Promise.all(cells.map(({ pool }) => pool.close()));
  }
}
