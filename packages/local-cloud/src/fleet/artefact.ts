import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { digestFolder, readBuilt } from "@proveniq/control-plane/artefact";

/** A built artefact, copied to a folder of its own so that no later build changes what runs. */
export interface InstalledArtefact {
  digest: string;
  folder: string;
  /** The commit that it was built from. */
  commit: string;
}

/**
 * Copy the cell's artefact from `<dist>/artefact` to `<into>/<digest>`, unless that very one is there. Throws when it was
 * not built, or is not what its build said it is.
 */
export async function installArtefact(
  dist: string,
  into: string,
): Promise<Pick<InstalledArtefact, "digest" | "folder">> {
  const { digest, files } = await readBuilt(dist);
  const folder = join(into, digest);
  if ((await digestFolder(folder).catch(() => undefined)) === digest) return { digest, folder };
  const next = `${folder}.${process.pid}.new`;
  for (const [path, bytes] of files) {
    const file = join(next, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
  await rm(folder, { recursive: true, force: true });
  await rename(next, folder);
  return { digest, folder };
}

/** Throws unless the folder is there and holds what its digest says. */
export async function verifyInstalled({
  digest,
  folder,
}: Pick<InstalledArtefact, "digest" | "folder">): Promise<void> {
  const actual = await digestFolder(folder).catch(() => undefined);
  if (actual === undefined)
    throw new Error(`The artefact ${digest} was never brought here: there is no ${folder}`);
  if (actual !== digest) throw new Error(`${folder} has the digest ${actual}: it was changed`);
}

/** Copy the router's bundle beside it, for the same reason. */
export async function installRouter(dist: string, into: string): Promise<{ digest: string; file: string }> {
  const source = join(dist, "server.js");
  const bytes = await readFile(source).catch(() => {
    throw new Error(`${source} does not exist: the router is not built. Run \`npm run build\`.`);
  });
  const digest = createHash("sha256").update(bytes).digest("hex");
  const folder = join(into, `router-${digest}`);
  const file = join(folder, "server.js");
  await mkdir(folder, { recursive: true });
  // Whole or not at all: another start may be reading it.
  await writeFile(`${file}.${process.pid}.new`, bytes);
  await rename(`${file}.${process.pid}.new`, file);
  return { digest, file };
}
