import { type DatasetRole, warehouseTables } from "./tables.ts";
import { warehouseViews } from "./views.ts";

/** infra/warehouse.json: the tables and views that Terraform creates, and the local stand-in too. */
export interface WarehouseDefinition {
  tables: {
    dataset: DatasetRole;
    name: string;
    description: string;
    partitionBy: string | null;
    clusterBy: readonly string[];
    expiresAfterDays: number | null;
    schema: { name: string; type: string; mode: string; description: string }[];
  }[];
  views: { dataset: DatasetRole; name: string; description: string; query: string }[];
}

/** Every field written out, null where there is nothing: Terraform needs no `try()`. */
export function warehouseDefinition(): WarehouseDefinition {
  return {
    tables: warehouseTables.map((t) => ({
      dataset: t.dataset,
      name: t.name,
      description: t.description,
      partitionBy: t.partitionBy ?? null,
      clusterBy: t.clusterBy,
      expiresAfterDays: t.expiresAfterDays ?? null,
      schema: t.columns.map(({ name, type, mode, description }) => ({ name, type, mode, description })),
    })),
    views: warehouseViews.map(({ dataset, name, description, query }) => ({
      dataset,
      name,
      description,
      query,
    })),
  };
}
