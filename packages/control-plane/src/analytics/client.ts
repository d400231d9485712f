import { BigQuery } from "@google-cloud/bigquery";
import { PassThroughClient } from "google-auth-library";

export interface WarehousePlace {
  /** Google Cloud project of the warehouse. */
  project: string;
  /** URL of the local warehouse; absent for BigQuery itself. */
  endpoint?: string | undefined;
}

/** BigQuery's own client. The local warehouse is never sent anybody's real credentials. */
export function openWarehouse({ project, endpoint }: WarehousePlace): BigQuery {
  if (endpoint === undefined) return new BigQuery({ projectId: project });
  // The client's own types are of another copy of the authentication library, with the same shape.
  const authClient = new PassThroughClient() as never;
  return new BigQuery({ projectId: project, apiEndpoint: endpoint, authClient });
}

/** The HTTP status of a failed call; undefined when it failed before there was one. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "number" ? error.code : undefined;
}
