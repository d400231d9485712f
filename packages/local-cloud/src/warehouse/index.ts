import { serveGrpc } from "./grpc/server.ts";
import { serveRest } from "./rest/server.ts";
import { Store } from "./store/index.ts";

export interface WarehouseOptions {
  /** Where its rows are kept; in memory without one. */
  file?: string;
  /** 0, and absent, for any free port. */
  restPort?: number;
  grpcPort?: number;
  /** Asked after each append that was committed: true has its answer lost and the connection broken off. */
  losesReply?: () => boolean;
}

export interface LocalWarehouse {
  /** For `@google-cloud/bigquery`'s `apiEndpoint`. */
  restUrl: string;
  /** `host:port` of the Storage Write API, without TLS. */
  grpcHost: string;
  stop(): Promise<void>;
}

/**
 * A stand-in for BigQuery on this machine, kept by DuckDB: the official clients talk to it over REST and gRPC. What it
 * does not do it refuses.
 */
export async function startWarehouse(options: WarehouseOptions = {}): Promise<LocalWarehouse> {
  const store = await Store.open(options.file);
  /** Calls of both interfaces; health checks do not count. `GET /` tells it. */
  const counted = { requests: 0 };
  const grpc = await serveGrpc(store, options.grpcPort ?? 0, counted, options.losesReply);
  const rest = await serveRest(store, options.restPort ?? 0, counted);
  return {
    restUrl: `http://127.0.0.1:${rest.port}`,
    grpcHost: `127.0.0.1:${grpc.port}`,
    async stop() {
      await Promise.all([rest.stop(), grpc.stop()]);
      await store.close();
    },
  };
}
