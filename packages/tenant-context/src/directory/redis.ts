import type { OriginRule } from "@proveniq/contracts";
import { Redis } from "ioredis";
import { CachedDirectory, type CacheLimits, type PlacementSource } from "./cached-directory.ts";
import type { DirectoryLog } from "./types.ts";

const prefix = "proveniq:directory:";

/** Keys in Redis: hosts and cells as one JSON document, and `cell;epoch` under each tenant. */
export const redisKeys = {
  head: `${prefix}head`,
  tenant: (tenantId: string) => `${prefix}tenant:${tenantId}`,
} as const;

export interface RedisDirectory {
  readonly directory: CachedDirectory;
  close(): void;
}

/** The directory in a Redis, read tenant by tenant. Connects in the background and again whenever it has to. */
export function openRedisDirectory(options: {
  url: string;
  log: DirectoryLog;
  origins: OriginRule;
  limits?: Partial<CacheLimits>;
}): RedisDirectory {
  const timeoutMs = options.limits?.timeoutMs ?? 1_000;
  const redis = new Redis(options.url, {
    // A question fails with the connection it was asked on: what is remembered serves, waiting would only pile up.
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: timeoutMs,
    // One that accepts and never answers again is given up by us: the kernel would take a quarter of an hour.
    socketTimeout: 3 * timeoutMs,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000),
  });
  redis.on("error", () => undefined); // Each failed question reports it; this event would only repeat it.
  const source: PlacementSource = {
    readHead: async () => {
      const text = await redis.get(redisKeys.head);
      if (text === null) throw new Error("nothing has been published");
      return JSON.parse(text);
    },
    readPlacement: (tenantId) => redis.get(redisKeys.tenant(tenantId)),
  };
  const directory = new CachedDirectory({ ...options, source });
  return { directory, close: () => redis.disconnect() };
}
