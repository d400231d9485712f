import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative, sep } from "node:path";

/** Every file of a folder by its path in it, with forward slashes; sorted, so that the order is nobody's. */
export async function filesOf(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const read = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => {
      const file = join(entry.parentPath, entry.name);
      return [relative(folder, file).split(sep).join("/"), await readFile(file)] as const;
    });
  return new Map((await Promise.all(read)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const sha256Of = (bytes: Uint8Array | string): string =>
  createHash("sha256").update(bytes).digest("hex");

/** SHA-256 over the sorted lines `<path> <sha256 of the file>\n`: the same on every machine, for every folder that holds the same. */
export async function digestFolder(folder: string): Promise<string> {
  return digestOf(await filesOf(folder));
}

/** The same over these files, by path. */
export function digestOf(files: ReadonlyMap<string, Uint8Array>): string {
  const lines = [...files].map(([path, bytes]) => `${path} ${sha256Of(bytes)}\n`);
  return sha256Of(lines.sort().join(""));
}

/** The files of a folder that a build names, by path. Undefined when one of them is missing. */
export async function namedFiles(
  folder: string,
  names: readonly string[],
): Promise<Map<string, Buffer> | undefined> {
  try {
    const read = names.toSorted().map(async (name) => [name, await readFile(join(folder, name))] as const);
    return new Map(await Promise.all(read));
  } catch {
    return undefined;
  }
}
