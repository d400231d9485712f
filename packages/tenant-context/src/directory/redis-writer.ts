import {
  type DirectorySnapshot,
  maxDirectoryVersion,
  orderOfVersions,
  replaceableSnapshot,
} from "@proveniq/contracts";
import { Redis } from "ioredis";
import { z } from "zod";
import { redisKeys } from "./redis.ts";

/** The side of the publisher: reads and writes the whole directory in a Redis. Throws when Redis cannot be reached. */
export interface RedisWriter {
  /** All that is published there; undefined when nothing is; `fault`: why it is no directory. */
  read(): Promise<DirectorySnapshot | { fault: string } | undefined>;
  /** Give the head another name, and forget the tenants under it; resolves with that name. */
  setAside(): Promise<string>;
  /** Put a snapshot there, whole or not at all. What is there already stays when its version is greater, and possible. */
  write(snapshot: DirectorySnapshot): Promise<void>;
  close(): void;
}

const attempts = 5;
const atOnce = 1_000;

/** A writer for the keys that `openRedisDirectory` reads. It waits a few seconds for a connection, and no longer. */
export function openRedisWriter(url: string): RedisWriter {
  const redis = new Redis(url, {
    maxRetriesPerRequest: 2,
    connectTimeout: 2_000,
    commandTimeout: 10_000,
    socketTimeout: 5_000,
  });
  redis.on("error", () => undefined); // Each failed command reports it.
  return {
    read: async () => {
      const head = await redis.get(redisKeys.head);
      if (head === null) return undefined;
      const tenants = await readTenants(redis);
      try {
        const document: Record<string, unknown> = JSON.parse(head);
        return replaceableSnapshot.parse({ ...document, tenants });
      } catch (error) {
        const first = error instanceof z.ZodError ? error.issues[0]?.message : undefined;
        return { fault: first ?? "it is not JSON" };
      }
    },
    setAside: async () => {
      const aside = `${redisKeys.head}:unreadable-${new Date().toISOString()}`;
      const stale = await keysOfTenants(redis);
      const all = redis.multi().rename(redisKeys.head, aside);
      if (stale.length > 0) all.del(...stale);
      await all.exec();
      return aside;
    },
    write: async (snapshot) => {
      for (let n = 0; n < attempts; n += 1) if (await tryWrite(redis, snapshot)) return;
      throw new Error("the directory in Redis is being written by others all the time; try again");
    },
    close: () => redis.disconnect(),
  };
}

async function readTenants(redis: Redis): Promise<Record<string, [string, number]>> {
  const tenants: Record<string, [string, number]> = {};
  const start = redisKeys.tenant("").length;
  const keys = await keysOfTenants(redis);
  for (let n = 0; n < keys.length; n += atOnce) {
    const some = keys.slice(n, n + atOnce);
    const values = await redis.mget(some);
    for (const [m, key] of some.entries()) {
      const [cell = "", epoch = ""] = values[m]?.split(";") ?? [];
      tenants[key.slice(start)] = [cell, Number(epoch)];
    }
  }
  return tenants;
}

async function keysOfTenants(redis: Redis): Promise<string[]> {
  const found = new Set<string>();
  let cursor = "0";
  do {
    const [next, keys] = await redis.scan(cursor, "MATCH", redisKeys.tenant("*"), "COUNT", atOnce);
    cursor = next;
    for (const key of keys) found.add(key);
  } while (cursor !== "0");
  return [...found];
}

/** False when somebody else wrote meanwhile. */
async function tryWrite(redis: Redis, { tenants, ...head }: DirectorySnapshot): Promise<boolean> {
  await redis.watch(redisKeys.head);
  const present = await redis.get(redisKeys.head);
  if (present !== null && holds(versionOf(present), head.version)) {
    await redis.unwatch();
    return true;
  }
  const placements = Object.entries(tenants).flatMap(([id, [cell, epoch]]) => [
    redisKeys.tenant(id),
    `${cell};${epoch}`,
  ]);
  const gone = (await keysOfTenants(redis)).filter(
    (key) => !Object.hasOwn(tenants, key.slice(redisKeys.tenant("").length)),
  );
  const all = redis.multi();
  if (gone.length > 0) all.del(...gone);
  if (placements.length > 0) all.mset(...placements);
  all.set(redisKeys.head, JSON.stringify(head));
  return (await all.exec()) !== null;
}

function versionOf(text: string): number {
  try {
    const { version }: Record<string, unknown> = JSON.parse(text);
    return typeof version === "number" ? version : 0;
  } catch {
    return 0;
  }
}

/** True when a newer directory, or this one, is there already. */
function holds(present: number, version: number): boolean {
  const order = orderOfVersions(version, present);
  return present <= maxDirectoryVersion && (order === "same" || order === "older");
}
