import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf, filesOf, type Packed, packArtefact } from "@proveniq/control-plane/artefact";

/** After so long a version turns bad: by then it has been tried and let in. */
const soundMs = 3_000;

const onRequests = (which: string, then: string) => `import http from "node:http";
const sound = Date.now() + ${soundMs};
let seen = 0;
const emit = http.Server.prototype.emit;
http.Server.prototype.emit = function (event, request, response) {
  const bad = event === "request" && ${which};
  if (!bad) return emit.apply(this, arguments);
  ${then}
  return true;
};
`;

const onItems = (then: string) => onRequests('request.url.includes("/items") && Date.now() > sound', then);
const fail = 'response.writeHead(500, { "content-type": "application/json" }); response.end("{}");';
const isList = 'request.method === "GET" && /\\/items(\\?|$)/.test(request.url)';
/** What a version does that its former did not; each is a file that its server loads first. */
const faults = {
  good: "globalThis.proveniqVersion = 2;\n",
  errors: onItems(fail),
  "half-of-lists": onRequests(`${isList} && seen++ % 2 === 1`, fail),
  slow: onItems("setTimeout(() => emit.apply(this, [event, request, response]), 900);"),
  silent: onItems(""),
  "wrong-digest": 'process.env.ARTEFACT_DIGEST = "0".repeat(64);\n',
  "does-not-start": 'process.stderr.write("no such module\\n"); process.exit(3);\n',
} as const;
export type Fault = keyof typeof faults;

/** Pack what is built, with a fault in it. `mark` makes versions with the same fault differ; `more`: what a file begins with. */
export async function packVersion(
  root: string,
  out: string,
  fault: Fault,
  mark = "",
  more?: { file: string; before: string },
): Promise<Packed> {
  const dist = await mkdtemp(join(tmpdir(), "version-"));
  try {
    const artefact = join(dist, "artefact");
    await cp(join(root, "apps/cell-api/dist/artefact"), artefact, { recursive: true });
    await writeFile(join(artefact, "version.js"), `${faults[fault]}// ${mark}\n`);
    const server = join(artefact, "server.js");
    await writeFile(server, `import "./version.js";\n${await readFile(server, "utf8")}`);
    if (more !== undefined) {
      const file = join(artefact, more.file);
      await writeFile(file, `${more.before}\n${await readFile(file, "utf8")}`);
    }
    const files = await filesOf(artefact);
    const built = { digest: digestOf(files), files: [...files.keys()], packages: [] };
    await writeFile(join(dist, "artefact.json"), JSON.stringify(built));
    return await packArtefact({ root, dist, out });
  } finally {
    await rm(dist, { recursive: true, force: true });
  }
}
