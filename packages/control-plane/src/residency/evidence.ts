import type { Location } from "@proveniq/contracts";
import { z } from "zod";

/** One place that a tenant's data is in or passes, and where that is laid down. */
export interface Evidence {
  what:
    | "registry"
    | "host"
    | "load balancer"
    | "router"
    | "function"
    | "database"
    | "point in time recovery"
    | "backup"
    | "logs"
    | "traces"
    | "metrics"
    | "error reporting"
    | "secret"
    | "artefact"
    | "directory"
    | "canary"
    | "warehouse"
    | "issuer"
    | "identity";
  name: string;
  /** A location of Google Cloud's, `global`, or null where nothing is kept. */
  location: Location | "global" | null;
  /** File and key of the repository that say so. */
  declaredIn: string;
  /** Address of the resource in the plan of `root`, which its location can be read from; null where there is none. */
  resource: {
    root: "cell" | "edge" | "project" | "central" | "bootstrap";
    state: string;
    address: string;
  } | null;
  /** Why it may be anywhere: nothing of anybody is in it; null where data is. */
  harmless: string | null;
  /** The exemption by which it breaks the promise all the same; null without one. */
  exemption: string | null;
  /** Why this breaks the promise; null when it keeps it. */
  breach: string | null;
}

/** A line of the evidence; whether its location breaks the promise is judged later. */
export const line = (
  what: Evidence["what"],
  name: string,
  location: Evidence["location"],
  declaredIn: string,
  resource: Evidence["resource"] = null,
  breach: string | null = null,
  harmless: string | null = null,
): Evidence => ({ what, name, location, declaredIn, resource, harmless, exemption: null, breach });

/** What a plan makes of a line's resource, as Terraform writes it. */
const planned = z.object({
  location_id: z.string().optional(),
  location: z.string().optional(),
  region: z.string().optional(),
  point_in_time_recovery_enablement: z.string().optional(),
  replication: z
    .array(
      z.object({
        user_managed: z
          .array(z.object({ replicas: z.array(z.object({ location: z.string() })) }))
          .default([]),
      }),
    )
    .optional(),
});

/** Where a plan's resource keeps what is in it; several places joined by a comma, "global" where nobody says. */
function placeOf({ location_id, location, region, replication }: z.infer<typeof planned>): string | null {
  const replicas = replication?.flatMap((r) => r.user_managed).flatMap((u) => u.replicas);
  if (replicas !== undefined) return replicas.map((r) => r.location).join(", ") || "global";
  return location_id ?? location ?? region ?? null;
}

/** Why a line is not what a plan makes of the same files; null when it is. `values`: of the line's resource, undefined for none. */
export function plannedBreach(line: Evidence, values: object | undefined): string | null {
  if (line.resource === null) return null;
  if (values === undefined) return `no plan makes ${line.resource.address}`;
  const read = planned.parse(values);
  const place = placeOf(read)?.toLowerCase() ?? null;
  if (place !== line.location)
    return `planned in ${place ?? "no place"}, declared in ${line.location ?? "none"}`;
  const recovers = read.point_in_time_recovery_enablement === "POINT_IN_TIME_RECOVERY_ENABLED";
  if (line.what === "point in time recovery" && !recovers) return "no point in time recovery is planned";
  return null;
}
