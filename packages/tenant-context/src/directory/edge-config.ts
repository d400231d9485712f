import type { OriginRule } from "@proveniq/contracts";
import { createClient } from "@vercel/edge-config";
import { RefreshedDirectory, type RefreshLimits } from "./refreshed-directory.ts";
import type { DirectoryLog } from "./types.ts";

/** The item of the Edge Config that holds the DirectorySnapshot. */
export const edgeConfigKey = "directory";

/**
 * The directory in an Edge Config. `connection` is its connection string, with the token. The library caches by its
 * own rules, serves old answers on errors and has no time-out; none of that is relied on, so its caches are off.
 */
export function openEdgeConfigDirectory(options: {
  connection: string;
  log: DirectoryLog;
  origins: OriginRule;
  limits?: Partial<RefreshLimits>;
}): RefreshedDirectory {
  const client = createClient(options.connection, {
    cache: "no-store",
    staleIfError: false,
    disableDevelopmentCache: true,
  });
  return new RefreshedDirectory({
    ...options,
    read: () => client.get(edgeConfigKey),
  });
}
