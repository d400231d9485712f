import { z } from "zod";

/**
 * Versions of the directory grow by one or two with each publication, so none is ever near this. One that is written
 * there by mistake can always be followed by a greater one that every number type holds.
 */
export const maxDirectoryVersion = 1_000_000_000;

/** The farthest that a version may lie from the one before it. */
export const maxVersionStep = 1_000_000;

export const directoryVersion = z.int().min(1).max(maxDirectoryVersion);

/** How a version lies to another. `beyond`: further ahead than publications can have gone. */
export type VersionOrder = "same" | "newer" | "older" | "beyond";

/**
 * Order two versions as name servers do their serial numbers: only what lies within one step ahead is newer. What lies
 * more than a step *below* is newer too: then it is the believed one that nobody can have reached, and that is put right.
 */
export function orderOfVersions(version: number, believed: number): VersionOrder {
  const ahead = version - believed;
  if (ahead === 0) return "same";
  if (ahead > 0) return ahead <= maxVersionStep ? "newer" : "beyond";
  return ahead < -maxVersionStep ? "newer" : "older";
}

/** Where cells may be: in the fleet's own zone, and in development on this machine too. */
export interface OriginRule {
  zone: string;
  loopback: boolean;
}

/** Why no request may be sent to an origin; undefined when it may. @param origin A URL without a path. */
export function originFault(origin: string, { zone, loopback }: OriginRule): string | undefined {
  const { protocol, hostname, port } = new URL(origin);
  if (isLoopback(hostname)) return loopback ? undefined : "is this machine itself";
  if (protocol !== "https:") return "must be https";
  if (port !== "") return "must have no port";
  return hostname.endsWith(`.${zone}`) ? undefined : `is not in the zone ${zone}`;
}

/** The faults of all cells' origins, a sentence each. */
export function originFaults(
  cells: Readonly<Record<string, { api: string; bulk: string }>>,
  rule: OriginRule,
): string[] {
  return Object.entries(cells).flatMap(([id, { api, bulk }]) =>
    Object.entries({ api, bulk }).flatMap(([service, origin]) => {
      const fault = originFault(origin, rule);
      return fault === undefined ? [] : [`cell ${id}, ${service}: ${origin} ${fault}`];
    }),
  );
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}
