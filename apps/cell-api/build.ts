import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuiltArtefact, type BundledPackage, builtArtefact } from "@proveniq/contracts";
import { digestFolder, digestOf, filesOf } from "@proveniq/control-plane/artefact";
import { build, type Metafile } from "esbuild";
import { z } from "zod";

/**
 * CommonJS packages inside an ES module still ask for these. Each file gets its own, under names that no
 * bundled code uses; all are worked out when it runs, so no path of the building machine gets in.
 */
const banner =
  'import{createRequire as __cellRequire}from"node:module";import{fileURLToPath as __cellPath}from"node:url";' +
  'import{dirname as __cellDirname}from"node:path";const require=__cellRequire(import.meta.url);' +
  "const __filename=__cellPath(import.meta.url);const __dirname=__cellDirname(__filename);";

export { digestFolder };

export interface Artefact extends BuiltArtefact {
  metafile: Metafile;
}

/**
 * Build the one folder that every cell runs into `<outDir>/artefact`, and its digest and packages
 * into `<outDir>/artefact.json`. The bytes depend on the sources and packages alone, not on where `root` (the
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
  const cell = cellPackage.parse(await readJson(join(app, "package.json")));
  const installed = cell.dependencies;
  await writeFile(join(artefact, "package.json"), artefactPackage(cell.version, installed));
  const files = await filesOf(artefact);
  const built = builtArtefact.parse({
    digest: digestOf(files),
    files: [...files.keys()],
    packages: [
      ...(await bundledPackages(root, result.metafile)),
      ...Object.entries(installed).map(([name, version]) => ({ name, version, bundled: false })),
    ],
  });
  await writeFile(join(outDir, "artefact.json"), `${JSON.stringify(built)}\n`);
  return { ...built, metafile: result.metafile };
}

/**
 * What the platform installs: the SDK whose tool finds the functions, and the server that runs them. Left to itself the platform
 * would take another version of the latter than the one that functions-platform.ts was tried with.
 */
const cellPackage = z.object({
  version: z.string(),
  dependencies: z.object({
    "@google-cloud/functions-framework": z.string(),
    "firebase-functions": z.string(),
  }),
});
const installedPackage = z.object({ name: z.string(), version: z.string(), license: z.unknown().optional() });

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, "utf8"));
}

/** What the platform reads: the entry, the runtime, and what it installs. */
function artefactPackage(version: string, dependencies: Record<string, string>): string {
  const described = {
    name: "proveniq-cell",
    version,
    private: true,
    type: "module",
    main: "functions.js",
    engines: { node: "24" },
    dependencies,
  };
  return `${JSON.stringify(described, undefined, 2)}\n`;
}

/** The packages of others whose files went into the bundle. */
async function bundledPackages(root: string, metafile: Metafile): Promise<BundledPackage[]> {
  const folders = new Set(
    Object.keys(metafile.inputs).flatMap(
      (file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? [],
    ),
  );
  const found = [...folders].sort().map(async (folder) => {
    const { name, version, license } = installedPackage.parse(
      await readJson(join(root, folder, "package.json")),
    );
    return { name, version, ...(typeof license === "string" ? { license } : {}), bundled: true };
  });
  // The same version may lie in two places.
  const all = new Map((await Promise.all(found)).map((each) => [`${each.name}@${each.version}`, each]));
  return [...all.values()];
}

if (import.meta.main) {
  const app = fileURLToPath(new URL(".", import.meta.url));
  const { digest } = await buildArtefact(join(app, "../.."), join(app, "dist"));
  process.stdout.write(`cell artefact ${digest}\n`);
}
