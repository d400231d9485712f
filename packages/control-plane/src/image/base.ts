import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { messageOf, parseFile } from "@proveniq/contracts";
import { z } from "zod";
import { sha256Of } from "../artefact/digest.ts";
import { RefusedError } from "../refused.ts";
import { imageUser } from "./layout.ts";
import type { ImageFile } from "./tar.ts";

const run = promisify(execFile);
const hex = (length: number) => z.string().regex(new RegExp(`^[0-9a-f]{${length}}$`));

/** infra/image-base.json: the C library that Node needs, package by package, and which of their files go into an image. */
export const imageBase = z.strictObject({
  packages: z.array(
    z.strictObject({
      url: z.url({ protocol: /^https$/ }).regex(/\.deb$/),
      /** By which Debian's archive of all that ever was knows it. */
      sha1: hex(40),
      sha256: hex(64),
    }),
  ),
  /** Where a file is in the image → where it is in its package. */
  files: z.record(z.string(), z.string()),
});

/**
 * The lower layer of an image: Node, the C library, who runs it. `node`: Node's program. Packages are fetched once into `cache` and
 * believed by their SHA-256 alone. Throws `RefusedError` when one cannot be had or is another, or a file is missing.
 */
export async function baseFiles(file: string, node: string, cache: string): Promise<Map<string, ImageFile>> {
  const { packages, files } = parseFile(imageBase, file, await readFile(file, "utf8"));
  await mkdir(cache, { recursive: true });
  const unpacked = await mkdtemp(join(tmpdir(), "image-base-"));
  try {
    for (const each of packages) {
      const deb = await fetched(each, cache);
      await run("dpkg-deb", ["--extract", deb, unpacked]).catch((error: unknown) => {
        throw new RefusedError(`dpkg-deb cannot unpack ${basename(deb)}: ${String(error)}`);
      });
    }
    const all = new Map<string, ImageFile>([
      ["usr/bin/node", { bytes: await readFile(node), executable: true }],
      ["etc/passwd", { bytes: Buffer.from(`nonroot:x:${imageUser}:${imageUser}::/:/sbin/nologin\n`) }],
      ["etc/nsswitch.conf", { bytes: Buffer.from("hosts: files dns\n") }],
    ]);
    for (const [path, from] of Object.entries(files)) {
      const bytes = await readFile(join(unpacked, from)).catch(() => {
        throw new RefusedError(`${file}: no package holds ${from}`);
      });
      all.set(path, { bytes, executable: /\.so(\.|$)/.test(path) });
    }
    return all;
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
}

async function fetched(
  { url, sha1, sha256 }: z.infer<typeof imageBase>["packages"][number],
  cache: string,
): Promise<string> {
  const file = join(cache, `${sha256}.deb`);
  const held = await readFile(file).catch(() => undefined);
  if (held !== undefined && sha256Of(held) === sha256) return file;
  const failures: string[] = [];
  // Debian's mirrors keep what is new; its archive keeps everything.
  for (const from of [url, `https://snapshot.debian.org/file/${sha1}`]) {
    try {
      const answer = await fetch(from, { signal: AbortSignal.timeout(60_000) });
      if (!answer.ok) throw new Error(`answers ${answer.status}`);
      const bytes = new Uint8Array(await answer.arrayBuffer());
      if (sha256Of(bytes) !== sha256) throw new Error("gives other bytes than were pinned");
      const next = `${file}.${process.pid}.new`;
      await writeFile(next, bytes);
      await rename(next, file);
      return file;
    } catch (error) {
      failures.push(`${from}: ${messageOf(error)}`);
    }
  }
  throw new RefusedError(`A package of the images' base cannot be had.\n  ${failures.join("\n  ")}`);
}
