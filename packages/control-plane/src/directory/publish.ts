import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { DirectorySnapshot, FleetConfig } from "@proveniq/contracts";
import type { Registry } from "@proveniq/db/control";
import type { Manifests } from "../fleet/load.ts";
import { buildSnapshot, type Origins } from "./build.ts";

export interface Publication {
  /** The file that routers read. */
  file: string;
  control: Registry;
  config: Pick<FleetConfig, "hosts" | "defaults">;
  manifests: Manifests;
  origins: Origins;
  now?: () => Date;
}

/**
 * Publishes the registry as a file, whole or not at all, under a version greater than any before it. When somebody
 * else publishes meanwhile, the file ends up with the newer of the two.
 */
export async function publishDirectory(publication: Publication): Promise<DirectorySnapshot> {
  const { control, config, manifests, origins, file } = publication;
  const now = publication.now ?? (() => new Date());
  await control.bumpVersion();
  for (;;) {
    const snapshot = buildSnapshot(await control.snapshot(), config, manifests, origins, now());
    await replaceFile(file, `${JSON.stringify(snapshot, null, 2)}\n`);
    // Between our look at the registry and the rename another may have put a newer file there, and we an older
    // one over it: as long as the counter has moved on, write again.
    const { version } = await control.snapshot();
    if (version === snapshot.version) return snapshot;
  }
}

/** Readers see the old file or the new one, also after a crash. */
async function replaceFile(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${randomUUID()}`;
  try {
    const handle = await open(draft, "wx");
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
