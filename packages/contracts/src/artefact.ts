import { z } from "zod";

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits");

/** A package whose code is in the artefact, or that the platform adds to it. */
export const bundledPackage = z.strictObject({
  name: z.string().min(1),
  version: z.string().min(1),
  license: z.string().optional().describe("As the package itself names it"),
  bundled: z.boolean().describe("False: the platform installs it beside the artefact"),
});
export type BundledPackage = z.infer<typeof bundledPackage>;

/** What a build says of the folder that it made: `dist/artefact.json` of the cell. */
export const builtArtefact = z.strictObject({
  digest: sha256.describe("SHA-256 over the sorted lines `<path> <sha256 of the file>`"),
  files: z
    .array(z.string().min(1))
    .min(1)
    .describe(
      "Paths in the folder. A build that comes out of a cache may leave an earlier one's files beside them",
    ),
  packages: z.array(bundledPackage),
});
export type BuiltArtefact = z.infer<typeof builtArtefact>;

const commit = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "must be a commit id");

/** Which artefact: what a deploy is told, and what it leaves in the registry. */
export const artefactRef = z.strictObject({
  digest: sha256,
  zipSha256: sha256.describe("Of the zip: its name where artefacts are kept"),
  commit,
});
export type ArtefactRef = z.infer<typeof artefactRef>;

/** `artefact.json` beside a packed zip. */
export const packedArtefact = artefactRef.extend({
  zip: z.string().regex(/^[a-z0-9.-]+\.zip$/, "must be a file's name"),
  zipBytes: z.int().min(1),
  sbom: z.string().regex(/^[a-z0-9.-]+\.json$/, "must be a file's name"),
  modified: z.boolean().describe("True: the tree had changes that no commit holds"),
});
export type PackedArtefact = z.infer<typeof packedArtefact>;
