import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { parseFile } from "@proveniq/contracts";
import { z } from "zod";

const artefactFile = z.strictObject({ digest: z.string().regex(/^[0-9a-f]{64}$/) });

/** A built artefact, copied to a folder of its own so that no later build changes what runs. */
export interface InstalledArtefact {
  digest: string;
  folder: string;
}

/** SHA-256 over the sorted lines `<path> <sha256 of the file>`, with `/` in paths: the same on every machine. */
export async function digestFolder(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const lines = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const file = join(entry.parentPath, entry.name);
        const hash = createHash("sha256")
          .update(await readFile(file))
          .digest("hex");
        return `${relative(folder, file).split(sep).join("/")} ${hash}\n`;
      }),
  );
  return createHash("sha256").update(lines.sort().join("")).digest("hex");
}

/**
 * Copy the cell's artefact from `<dist>/artefact` to `<into>/<digest>`, unless that very one is there. Throws when it was
 * not built, or is not what its build said it is.
 */
export async function installArtefact(dist: string, into: string): Promise<InstalledArtefact> {
  const source = join(dist, "artefact");
  const described = join(dist, "artefact.json");
  const text = await readFile(described, "utf8").catch(() => {
    throw new Error(`${described} does not exist: the cell is not built. Run \`npm run build\`.`);
  });
  const { digest } = parseFile(artefactFile, described, text);
  const folder = join(into, digest);
  if ((await digestFolder(folder).catch(() => undefined)) === digest) return { digest, folder };

  const next = `${folder}.${process.pid}.new`;
  await mkdir(into, { recursive: true });
  await cp(source, next, { recursive: true });
  const actual = await digestFolder(next);
  if (actual !== digest) {
    await rm(next, { recursive: true, force: true });
    throw new Error(
      `${source} has the digest ${actual}, but ${described} says ${digest}: it was changed after the build. Delete ${dist} and run \`npm run build\`.`,
    );
  }
  await rm(folder, { recursive: true, force: true });
  await rename(next, folder);
  return { digest, folder };
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
