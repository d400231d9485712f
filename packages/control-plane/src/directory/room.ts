import type { FleetConfig, Placement } from "@proveniq/contracts";
import type { Registry } from "@proveniq/db/control";
import type { Manifests } from "../fleet/load.ts";
import { RefusedError } from "../refused.ts";
import { buildSnapshot, originsOf } from "./build.ts";
import { sizeOf } from "./changes.ts";

type MaxBytes = FleetConfig["directory"]["maxBytes"];

/** From this share of what the plan holds on, somebody should look for more room. */
const tightShare = 0.8;

/** The most bytes that a directory may have; null for no limit. */
export const limitOf = (maxBytes: MaxBytes): number | null => (maxBytes === "none" ? null : maxBytes);

/** Why a directory of so many bytes is too large, or nearly so. Pure. */
export function roomFor(bytes: number, maxBytes: MaxBytes): { refusal?: string; warning?: string } {
  const limit = limitOf(maxBytes);
  if (limit === null || bytes <= limit * tightShare) return {};
  if (bytes > limit)
    return {
      refusal: `it has ${bytes} bytes, and directory.maxBytes of fleet.json allows ${limit}: raise it if the plan of the Edge Config holds more, or publish to a Redis, which has no limit`,
    };
  const share = Math.floor((bytes / limit) * 100);
  return {
    warning: `the directory has ${bytes} bytes, ${share} % of the ${limit} that directory.maxBytes of fleet.json allows: see docs/runbooks/directory-loss.md`,
  };
}

/**
 * Whether the directory holds one tenant more, asked before the tenant is written anywhere. Resolves with a warning when it
 * will be nearly full; throws `RefusedError` when it would be too large.
 */
export async function makeRoom(
  control: Pick<Registry, "snapshot">,
  fleet: { config: FleetConfig; manifests: Manifests },
  placement: Placement,
): Promise<string | undefined> {
  const { config, manifests } = fleet;
  const { placements, ...registry } = await control.snapshot();
  if (placements.some(({ tenantId }) => tenantId === placement.tenantId)) return undefined;
  const all = { ...registry, version: 1, placements: [...placements, placement] };
  const snapshot = buildSnapshot(all, config, manifests, originsOf(manifests), new Date());
  const { refusal, warning } = roomFor(sizeOf(snapshot), config.directory.maxBytes);
  if (refusal !== undefined)
    throw new RefusedError(
      `tenant ${placement.tenantId} was not added, the directory has no room: ${refusal}`,
    );
  return warning;
}
