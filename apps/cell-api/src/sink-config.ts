import type { SinkConfig } from "@proveniq/analytics-sink/service";
import type { CellConfig } from "./config.ts";

/** What the sink takes from the cell's configuration. Throws when the warehouse is not named. */
export function sinkConfig(config: CellConfig): SinkConfig {
  const { cellId, manifest, defaultTenant, emulatorHost, analytics, sinkLeaseMs } = config;
  if (analytics === undefined) throw new Error("a sink needs to know the project of the warehouse");
  const { project, localHost, keysFolder, minimumAgeDays } = analytics;
  const warehouse = { project, localHost };
  const leaseMs = sinkLeaseMs;
  return { cellId, manifest, defaultTenant, emulatorHost, warehouse, keysFolder, leaseMs, minimumAgeDays };
}
