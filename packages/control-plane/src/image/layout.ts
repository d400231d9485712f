import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "fflate";
import { sha256Of } from "../artefact/digest.ts";
import { type ImageFile, tarOf } from "./tar.ts";

/** Whom a container runs as: nobody, with a number, because Kubernetes' and Cloud Run's checks read no names. */
export const imageUser = 65_532;

export interface Image {
  /** From what changes seldom to what changes often. */
  layers: readonly ReadonlyMap<string, ImageFile>[];
  entrypoint: readonly string[];
  folder: string;
}

/**
 * Write an image as an OCI layout (https://github.com/opencontainers/image-spec/blob/main/image-layout.md) into `out`, whole or not
 * at all, and give the digest by which a registry will know it. The same files give the same digest on every machine: times are
 * left out, and layers are packed by code that no processor changes, as zlib is.
 */
export async function writeImage(image: Image, out: string): Promise<string> {
  const blobs = new Map<string, Uint8Array>();
  const keep = (mediaType: string, bytes: Uint8Array) => {
    const hex = sha256Of(bytes);
    blobs.set(hex, bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const tars = image.layers.map(tarOf);
  const layers = tars.map((tar) =>
    keep("application/vnd.oci.image.layer.v1.tar+gzip", gzipSync(tar, { level: 6, mtime: 0 })),
  );
  const config = keep(
    "application/vnd.oci.image.config.v1+json",
    json({
      created: "1970-01-01T00:00:00Z",
      architecture: "amd64",
      os: "linux",
      config: {
        User: `${imageUser}:${imageUser}`,
        Env: ["PATH=/usr/bin", "NODE_ENV=production"],
        Entrypoint: image.entrypoint,
        WorkingDir: image.folder,
      },
      rootfs: { type: "layers", diff_ids: tars.map((tar) => `sha256:${sha256Of(tar)}`) },
    }),
  );
  const manifest = keep(
    "application/vnd.oci.image.manifest.v1+json",
    json({ schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config, layers }),
  );
  await mkdir(dirname(out), { recursive: true });
  const next = await mkdtemp(`${out}.new-`);
  const folder = join(next, "blobs/sha256");
  await mkdir(folder, { recursive: true });
  await Promise.all([...blobs].map(([hex, bytes]) => writeFile(join(folder, hex), bytes)));
  await writeFile(join(next, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }));
  await writeFile(join(next, "index.json"), json({ schemaVersion: 2, manifests: [manifest] }));
  await rm(out, { recursive: true, force: true });
  await rename(next, out);
  return manifest.digest;
}
