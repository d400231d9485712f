import { mkdir, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build, type Metafile } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));

/**
 * What a runtime without Node could not load, or what a router has no business with: Node's modules, databases,
 * Firebase. Lint sees direct imports only; the bundle knows all of them.
 */
export function strangersIn(metafile: Metafile): string[] {
  const paths = Object.values(metafile.inputs).flatMap((input) => input.imports.map((i) => i.path));
  const all = new Set([...Object.keys(metafile.inputs), ...paths]);
  return [...all].filter((path) => /^node:|firebase|google-cloud|grpc|packages\/db\//.test(path)).sort();
}

/** Bundle the decision core for a runtime without Node, and say what is in it. Writes nothing. */
export async function inspectCore(entry = "src/decide/index.ts"): Promise<Metafile> {
  const result = await build({
    absWorkingDir: here,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    external: ["node:*"],
    logLevel: "silent",
  });
  return result.metafile;
}

/** Bundle the router for Node into one file. The same sources give the same bytes in any folder. */
export async function bundleServer(folder = here): Promise<string> {
  const result = await build({
    absWorkingDir: folder,
    entryPoints: ["src/main.ts"],
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: "node24",
    minify: true,
    keepNames: true,
    legalComments: "none",
    // Or what a folder's tsconfig says would decide where "use strict" is written.
    tsconfigRaw: {},
    // The Redis client is CommonJS and asks for Node's modules by require.
    banner: { js: 'import{createRequire as __r}from"node:module";const require=__r(import.meta.url);' },
    logLevel: "warning",
  });
  return result.outputFiles[0]?.text ?? "";
}

async function main(): Promise<void> {
  for (const entry of ["src/decide/index.ts", "src/edge/vercel.ts"]) {
    const strangers = strangersIn(await inspectCore(entry));
    if (strangers.length > 0) throw new Error(`${entry} must not contain ${strangers.join(", ")}`);
  }
  const text = await bundleServer();
  await rm(`${here}dist`, { recursive: true, force: true });
  await mkdir(`${here}dist`);
  await writeFile(`${here}dist/server.js`, text);
  await writeFile(`${here}dist/package.json`, `${JSON.stringify({ type: "module" })}\n`);
}

if (import.meta.main) await main();
