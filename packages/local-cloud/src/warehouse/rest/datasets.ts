import { z } from "zod";
import type { Dataset } from "../store/catalog.ts";
import type { Store } from "../store/index.ts";
import { checked } from "./http.ts";

const insert = z.object({
  datasetReference: z.object({ datasetId: z.string() }),
  location: z.string().default("US"),
  description: z.string().optional(),
});

export function listDatasets(store: Store, project: string): object {
  return {
    kind: "bigquery#datasetList",
    datasets: store.catalog.datasets(project).map((d) => datasetResource(d)),
  };
}

export async function createDataset(store: Store, project: string, body: unknown): Promise<object> {
  const { datasetReference, location, description } = checked(insert, body);
  const entry: Dataset = {
    project,
    id: datasetReference.datasetId,
    location,
    ...(description === undefined ? {} : { description }),
    createdMs: Date.now(),
  };
  await store.catalog.createDataset(entry);
  return datasetResource(entry);
}

export function datasetResource(d: Dataset): object {
  return {
    kind: "bigquery#dataset",
    id: `${d.project}:${d.id}`,
    datasetReference: { projectId: d.project, datasetId: d.id },
    location: d.location,
    description: d.description,
    creationTime: String(d.createdMs),
  };
}
