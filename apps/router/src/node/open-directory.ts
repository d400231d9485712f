import type { OriginRule } from "@proveniq/contracts";
import type { Directory, DirectoryLog } from "@proveniq/tenant-context/directory";
import { openFileDirectory } from "@proveniq/tenant-context/directory/file";
import { type Keepable, keepInFile } from "@proveniq/tenant-context/directory/keep";
import type { DirectorySource } from "../config.ts";

export interface OpenDirectory {
  directory: Directory;
  /** SHA-256 of what is believed, as it was read; undefined where that is not one text. */
  digest(): string | undefined;
  /** Stop reading, and keep what is known where that was asked for. */
  close(): Promise<void>;
}

/** Open the directory that the configuration names. Resolves even when its source is down: what was kept serves. */
export async function openDirectory(
  source: DirectorySource,
  origins: OriginRule,
  log: DirectoryLog,
): Promise<OpenDirectory> {
  if (source.kind === "file") {
    const file = await openFileDirectory({ file: source.file, origins, log });
    return { directory: file.directory, digest: () => file.digest(), close: async () => file.close() };
  }
  // Clients are loaded when they are needed: a router has one directory only.
  if (source.kind === "edge-config") {
    const { openEdgeConfigDirectory } = await import("@proveniq/tenant-context/directory/edge-config");
    const directory = openEdgeConfigDirectory({ connection: source.connection, origins, log });
    return started(directory, source.keep, log, () => undefined);
  }
  const { openRedisDirectory } = await import("@proveniq/tenant-context/directory/redis");
  const redis = openRedisDirectory({ url: source.url, origins, log });
  return started(redis.directory, source.keep, log, () => redis.close());
}

async function started(
  directory: Directory & Keepable & { ready(): Promise<void> },
  keep: string | undefined,
  log: DirectoryLog,
  close: () => void,
): Promise<OpenDirectory> {
  const stopKeeping = keep === undefined ? undefined : await keepInFile(directory, { file: keep, log });
  await directory.ready();
  return {
    directory,
    digest: () => undefined,
    close: async () => {
      await stopKeeping?.();
      close();
    },
  };
}
