// Loaded only when a sink first needs it: it brings gRPC and a megabyte of message types.
// The package's own entry would load five versions of every client.
import { BigQueryWriteClient } from "@google-cloud/bigquery-storage/build/src/v1/big_query_write_client.js";
import { credentials } from "@grpc/grpc-js";

export type StorageClient = BigQueryWriteClient;

/** BigQuery's Storage Write client. `localHost`: `host:port` of the local warehouse, without TLS. */
export function connectStorage(localHost: string | undefined): StorageClient {
  if (localHost === undefined) return new BigQueryWriteClient();
  const [apiEndpoint, port] = localHost.split(":");
  return new BigQueryWriteClient({
    apiEndpoint: apiEndpoint ?? "",
    port: Number(port),
    sslCreds: credentials.createInsecure(),
    // Without it the client looks for a project in the surroundings.
    projectId: "local",
  });
}
