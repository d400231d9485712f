import type { Scene } from "../scene.ts";
import type { WireRequest } from "../wire.ts";
import type { Door } from "../world.ts";

/** One attack, played through the router and straight at the cell. */
export interface Attack {
  /** As the README lists it. */
  name: string;
  /** Requests; each is judged by itself. */
  make(scene: Scene, door: Door): WireRequest[] | Promise<WireRequest[]>;
  /** The only outcomes that are right, as `status code`; `200` where the attacker gets what is the attacker's own. */
  outcomes: readonly string[];
  /** Where the two doors rightly differ. */
  atCell?: readonly string[];
}

export const bearer = (credential: string) => ["authorization", `Bearer ${credential}`] as const;
export const tenantHeader = (value: string) => ["x-tenant-id", value] as const;

/** A request for a list with these headers. */
export function list(
  door: Door,
  headers: readonly (readonly [string, string])[],
  path = "/v1/items",
): WireRequest {
  return { path, host: door.host, headers };
}
