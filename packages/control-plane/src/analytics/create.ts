import type { BigQuery } from "@google-cloud/bigquery";
import { type FleetConfig, residency } from "@proveniq/contracts";
import {
  publishedDataset,
  rawDataset,
  viewSql,
  warehouseDefinition,
  warehouseViews,
} from "@proveniq/contracts/warehouse";
import { statusOf } from "./client.ts";

/**
 * Make every dataset, table and view that is not there yet: what Terraform does in the cloud, from the same definition.
 * Resolves with the names of what was made.
 */
export async function createWarehouse(
  bigquery: BigQuery,
  project: string,
  locations: FleetConfig["warehouse"],
): Promise<string[]> {
  const made: string[] = [];
  const ensure = async (name: string, create: () => Promise<unknown>) => {
    try {
      await create();
      made.push(name);
    } catch (error) {
      if (statusOf(error) !== 409) throw error;
    }
  };
  const definition = warehouseDefinition();
  const datasets = [
    ...residency.options.map((r) => ({ role: "raw", id: rawDataset(r), location: locations[r] })),
    { role: "published", id: publishedDataset, location: locations.global },
  ];
  for (const { role, id, location } of datasets) {
    await ensure(id, () => bigquery.createDataset(id, { location }));
    for (const table of definition.tables.filter((t) => t.dataset === role)) {
      await ensure(`${id}.${table.name}`, () =>
        bigquery.dataset(id).createTable(table.name, {
          schema: { fields: table.schema },
          description: table.description,
          clustering: { fields: [...table.clusterBy] },
          ...(table.partitionBy === null
            ? {}
            : {
                timePartitioning: {
                  type: "DAY",
                  field: table.partitionBy,
                  ...expiration(table.expiresAfterDays),
                },
              }),
        }),
      );
    }
    const names = { raw: `${project}.${id}`, published: `${project}.${publishedDataset}` };
    for (const view of warehouseViews.filter((v) => v.dataset === role)) {
      await ensure(`${id}.${view.name}`, () =>
        bigquery.dataset(id).createTable(view.name, {
          view: { query: viewSql(view, names), useLegacySql: false },
          description: view.description,
        }),
      );
    }
  }
  return made;
}

const expiration = (days: number | null): { expirationMs?: string } =>
  days === null ? {} : { expirationMs: String(days * 86_400_000) };
