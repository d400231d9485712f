import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type BuiltArtefact,
  builtArtefact,
  type PackedArtefact,
  packedArtefact,
  parseFile,
} from "@proveniq/contracts";
import { RefusedError } from "../refused.ts";
import { commitOf } from "./commit.ts";
import { digestFolder, digestOf, filesOf, namedFiles, sha256Of } from "./digest.ts";
import { sbomOf } from "./sbom.ts";
import { unzipInto, zipOf } from "./zip.ts";

const description = "artefact.json";

/** A packed artefact and the folder that holds it. */
export interface Packed extends PackedArtefact {
  folder: string;
}

/**
 * Pack what the build left in `<dist>/artefact` into `<out>/<digest>`: `cell.zip`, and beside it `artefact.json` (digest,
 * commit) and `sbom.cdx.json`. The zip depends on the artefact's files alone. Throws when nothing is built, or it was
 * changed after the build.
 */
export async function packArtefact({
  root,
  dist,
  out,
}: {
  root: string;
  dist: string;
  out: string;
}): Promise<Packed> {
  const { digest, packages, files } = await readBuilt(dist);
  const zip = zipOf(files);
  const ref = { digest, zipSha256: sha256Of(zip), ...(await commitOf(root)) };
  const packed = packedArtefact.parse({
    ...ref,
    zip: "cell.zip",
    zipBytes: zip.byteLength,
    sbom: "sbom.cdx.json",
  });
  await mkdir(out, { recursive: true });
  const next = await mkdtemp(join(out, ".packing-"));
  await writeFile(join(next, packed.zip), zip);
  await writeFile(join(next, packed.sbom), sbomOf(packed, packages));
  await writeFile(join(next, description), `${JSON.stringify(packed, undefined, 2)}\n`);
  const folder = join(out, digest);
  await rm(folder, { recursive: true, force: true });
  await rename(next, folder);
  return { ...packed, folder };
}

/** A build: what it says of itself, and its files by path. */
export interface Built extends Omit<BuiltArtefact, "files"> {
  files: ReadonlyMap<string, Uint8Array>;
}

/** What a build says of itself in `<dist>/artefact.json`, and the files that it names, when they are still the same. */
export async function readBuilt(dist: string): Promise<Built> {
  const file = join(dist, description);
  const text = await readFile(file, "utf8").catch(() => {
    throw new RefusedError(`${file} does not exist: the cell is not built. Run \`npm run build\`.`);
  });
  const built = parseFile(builtArtefact, file, text);
  const files = await namedFiles(join(dist, "artefact"), built.files);
  const actual = files === undefined ? "of missing files" : digestOf(files);
  if (files === undefined || actual !== built.digest)
    throw new RefusedError(
      `${join(dist, "artefact")} has the digest ${actual}, but ${file} says ${built.digest}: it was changed after the build. Delete ${dist} and run \`npm run build\`.`,
    );
  return { ...built, files };
}

/** What the zip of a folder's files would be called. */
export async function zipSha256Of(folder: string): Promise<string> {
  return sha256Of(zipOf(await filesOf(folder)));
}

/** Read a folder that `packArtefact` made, anywhere. Throws `RefusedError` when its zip is not what stands beside it. */
export async function readPacked(folder: string): Promise<Packed> {
  const file = join(folder, description);
  const text = await readFile(file, "utf8").catch(() => {
    throw new RefusedError(`${file} does not exist: \`fleet pack\` makes such a folder`);
  });
  const packed = parseFile(packedArtefact, file, text);
  const zip = await readFile(join(folder, packed.zip)).catch(() => undefined);
  if (zip === undefined) throw new RefusedError(`${folder} holds no ${packed.zip}`);
  if (sha256Of(zip) !== packed.zipSha256)
    throw new RefusedError(`${join(folder, packed.zip)} is not the zip that ${description} describes`);
  return { ...packed, folder };
}

/** Unpack into `<into>/<digest>`, unless that very one is there. Throws `RefusedError` when its files have another digest. */
export async function unpackArtefact(packed: Packed, into: string): Promise<string> {
  const folder = join(into, packed.digest);
  if ((await digestFolder(folder).catch(() => undefined)) === packed.digest) return folder;
  await mkdir(into, { recursive: true });
  const next = await mkdtemp(join(into, ".unpacking-"));
  try {
    const files = join(next, "files");
    await unzipInto(await readFile(join(packed.folder, packed.zip)), files);
    const actual = await digestFolder(files);
    if (actual !== packed.digest)
      throw new RefusedError(`the files of ${packed.zip} have the digest ${actual}, not ${packed.digest}`);
    await rm(folder, { recursive: true, force: true });
    await rename(files, folder);
  } finally {
    await rm(next, { recursive: true, force: true });
  }
  return folder;
}
