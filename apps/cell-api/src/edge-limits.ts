import { type ConfiguredEdge, type EdgeEnvironment, edgeLimitsOf } from "@proveniq/http-edge";

/** How long a head may take to arrive, and how long a whole request: a chunk of 8 MiB may come over a slow line. */
const headMs = 10_000;
const requestMs = { api: 30_000, bulk: 120_000 } as const;

/** By the service that serves them. */
export type CellEdge = Readonly<Record<keyof typeof requestMs, ConfiguredEdge>>;

/** What a cell's clients may take up: what the environment says, or a cell's defaults. `descriptors` are the process's. */
export function cellEdge(env: EdgeEnvironment = {}, descriptors?: number): CellEdge {
  const of = (service: keyof typeof requestMs) =>
    edgeLimitsOf(env, { headMs, requestMs: requestMs[service] }, descriptors);
  return { api: of("api"), bulk: of("bulk") };
}
