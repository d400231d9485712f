import type { CellConfig } from "../config.ts";
import type { Logger } from "../log.ts";
import { type Tracing, untraced } from "./tracing.ts";

/** OpenTelemetry is set up for a whole process: a function that is called again finds it. */
let started: Promise<Tracing> | undefined;

/** Tracing as the environment wants it. OpenTelemetry is loaded only where there is a collector. */
export function startTracing(
  config: CellConfig,
  service: CellConfig["service"],
  logger: Logger,
): Promise<Tracing> {
  started ??= start(config, service, logger);
  return started;
}

async function start(
  { traces, cellId, manifest, artefactDigest }: CellConfig,
  service: CellConfig["service"],
  logger: Logger,
): Promise<Tracing> {
  if (traces === undefined) return untraced;
  const { openTelemetry } = await import("./otel.ts");
  const about = { service: `${cellId}-${service}`, version: artefactDigest, project: manifest.project };
  return openTelemetry({ ...traces, ...about }, logger);
}
