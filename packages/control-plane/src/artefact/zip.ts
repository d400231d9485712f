import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { unzipSync, zipSync } from "fflate";
import { RefusedError } from "../refused.ts";

/** The format keeps local time without a zone: these parts are the same everywhere. */
const neverChanged = () => new Date(1980, 0, 1, 12);
/** No artefact is near it: what unpacks to more is something else. */
const maxUnpackedBytes = 200 * 1024 * 1024;

/** One zip of these files, by path: the same bytes from any folder, on any day, in any time zone. */
export function zipOf(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return zipSync(Object.fromEntries(files), { level: 9, mtime: neverChanged() });
}

/** Unpack into `folder`, whole or not at all. Throws `RefusedError` for paths that lead out of it, and for far too much. */
export async function unzipInto(zip: Uint8Array, folder: string): Promise<void> {
  let size = 0;
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(zip, {
      filter: ({ name, originalSize }) => {
        size += originalSize;
        if (size > maxUnpackedBytes)
          throw new RefusedError(`the zip holds more than ${maxUnpackedBytes} bytes`);
        return !name.endsWith("/");
      },
    });
  } catch (error) {
    if (error instanceof RefusedError) throw error;
    throw new RefusedError("it is not a zip that can be read");
  }
  const next = `${folder}.${process.pid}.new`;
  await rm(next, { recursive: true, force: true });
  for (const [path, bytes] of Object.entries(files)) {
    if (!isPlainPath(path)) throw new RefusedError(`the zip holds a path that leads out of it: ${path}`);
    const file = join(next, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
  await rm(folder, { recursive: true, force: true });
  await rename(next, folder);
}

/** Relative, with forward slashes, and without a way up. */
function isPlainPath(path: string): boolean {
  return (
    !/^\/|\\|^[A-Za-z]:|\0/.test(path) && path.split("/").every((part) => !["", ".", ".."].includes(part))
  );
}
