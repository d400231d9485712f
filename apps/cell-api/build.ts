import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Metafile } from "esbuild";

/**
 * CommonJS packages inside an ES module still ask for these. Each file gets its own, under names that no
 * bundled code uses; all are worked out when it runs, so no path of the building machine gets in.
 */
const banner =
  'import{createRequire as __cellRequire}from"node:module";import{fileURLToPath as __cellPath}from"node:url";' +
  'import{dirname as __cellDirname}from"node:path";const require=__cellRequire(import.meta.url);' +
  "const __filename=__cellPath(import.meta.url);const __dirname=__cellDirname(__filename);";

export interface Artefact {
  /** SHA-256 over the sorted lines `<path> <sha256 of file>\n`, in hexadecimal. */
  digest: string;
  metafile: Metafile;
}

/**
 * Build the one folder that every cell runs into `<outDir>/artefact`, and its digest into
 * `<outDir>/artefact.json`. The bytes depend on the sources and packages alone, not on where `root` (the
 * repository) is.
 */
export async function buildArtefact(root: string, outDir: string): Promise<Artefact> {
  const artefact = join(outDir, "artefact");
  await rm(artefact, { recursive: true, force: true });
  const app = join(root, "apps/cell-api");
  const result = await build({
    absWorkingDir: root,
    entryPoints: { server: "apps/cell-api/src/server.ts", functions: "apps/cell-api/src/functions.ts" },
    outdir: artefact,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    // Names stay: the log's stacks can be read, and Node loads this a quarter faster than with short ones.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    chunkNames: "chunks/[name]-[hash]",
    banner: { js: banner },
    metafile: true,
    logLevel: "warning",
  });
  await mkdir(artefact, { recursive: true });
  await writeFile(join(artefact, "package.json"), await artefactPackage(app));
  const digest = await digestOf(artefact);
  await writeFile(join(outDir, "artefact.json"), `${JSON.stringify({ digest })}\n`);
  return { digest, metafile: result.metafile };
}

/** What the platform reads: the entry, the runtime, and the SDK whose tool finds the functions. */
async function artefactPackage(app: string): Promise<string> {
  const source: unknown = JSON.parse(await readFile(join(app, "package.json"), "utf8"));
  const { version, dependencies } = source as { version: string; dependencies: Record<string, string> };
  return `${JSON.stringify(
    {
      name: "proveniq-cell",
      version,
      private: true,
      type: "module",
      main: "functions.js",
      engines: { node: "24" },
      dependencies: { "firebase-functions": dependencies["firebase-functions"] },
    },
    undefined,
    2,
  )}\n`;
}

/** Digest of a folder, as in `Artefact`. Paths are relative, with forward slashes. */
export async function digestOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
  const lines = await Promise.all(
    files.map(async (file) => {
      const sha = createHash("sha256")
        .update(await readFile(file))
        .digest("hex");
      return `${relative(folder, file).replaceAll("\\", "/")} ${sha}\n`;
    }),
  );
  return createHash("sha256").update(lines.sort().join("")).digest("hex");
}

if (import.meta.main) {
  const app = fileURLToPath(new URL(".", import.meta.url));
  const { digest } = await buildArtefact(join(app, "../.."), join(app, "dist"));
  process.stdout.write(`cell artefact ${digest}\n`);
}
