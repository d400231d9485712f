import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** CommonJS packages inside an ES module still ask for these, under names that no bundled code uses. */
const banner =
  'import{createRequire as __require}from"node:module";import{fileURLToPath as __path}from"node:url";' +
  'import{dirname as __folder}from"node:path";const require=__require(import.meta.url);' +
  "const __filename=__path(import.meta.url);const __dirname=__folder(__filename);";

const root = fileURLToPath(new URL("../..", import.meta.url));
const dist = "packages/control-plane/dist";

/** Bundle the job that publishes market values into one file: the same sources give the same bytes. */
await build({
  absWorkingDir: root,
  entryPoints: ["packages/control-plane/src/market/intake/job.ts"],
  outfile: `${dist}/publisher.js`,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node24",
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
  banner: { js: banner },
  logLevel: "warning",
});
await writeFile(join(root, dist, "package.json"), `${JSON.stringify({ type: "module" })}\n`);
