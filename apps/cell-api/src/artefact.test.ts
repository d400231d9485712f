import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Metafile } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Artefact, buildArtefact, digestFolder } from "../build.ts";
import { testManifest } from "./testing/manifest.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
let folder: string;
let built: Artefact;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cell-artefact-"));
  built = await buildArtefact(root, join(folder, "here"));
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const env = {
  PATH: process.env["PATH"],
  CELL_ID: "eu",
  CELL_MANIFEST: JSON.stringify(testManifest),
  PROVENIQ_ENV: "development",
  // Nothing listens there: what is tried here needs no database.
  FIRESTORE_EMULATOR_HOST: "127.0.0.1:1",
  ARTEFACT_DIGEST: "a".repeat(64),
  GIT_COMMIT: "test",
  HOST: "127.0.0.1",
  PORT: "0",
};

/** All source files that an output holds or loads at once; what it may load later is left out. */
function loadedAtStart(metafile: Metafile, entry: string): Set<string> {
  const inputs = new Set<string>();
  const seen = new Set<string>();
  const visit = (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    const output = metafile.outputs[path];
    for (const input of Object.keys(output?.inputs ?? {})) inputs.add(input);
    for (const { path: next, kind } of output?.imports ?? []) if (kind === "import-statement") visit(next);
  };
  visit(Object.keys(metafile.outputs).find((path) => path.endsWith(`/${entry}`)) ?? "");
  return inputs;
}

describe("the artefact", () => {
  it("is the same, byte for byte, when built in another folder", async () => {
    const elsewhere = join(folder, "a/much/deeper/folder");
    const inputs = Object.keys(built.metafile.inputs).filter((file) => !file.startsWith("<"));
    const files = new Set(inputs);
    for (const file of inputs) {
      // What a bundler asks a package about is in the package.json next to it or above.
      for (let d = dirname(file); d !== "."; d = dirname(d)) files.add(join(d, "package.json"));
    }
    for (const file of ["package.json", "tsconfig.base.json", "apps/cell-api/tsconfig.json"]) files.add(file);
    for (const file of files) {
      await cp(join(root, file), join(elsewhere, file)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT" || !file.endsWith("package.json")) throw error;
      });
    }
    const scope = join(elsewhere, "node_modules/@proveniq");
    await mkdir(scope, { recursive: true });
    const workspaces = new Set(inputs.flatMap((file) => /^(?:packages|apps)\/[^/]+/.exec(file)?.[0] ?? []));
    for (const path of workspaces) await symlink(`../../${path}`, join(scope, basename(path)));
    const there = await buildArtefact(elsewhere, join(folder, "there"));
    expect(there.digest).toBe(built.digest);
    expect(Object.keys(there.metafile.outputs)).toHaveLength(Object.keys(built.metafile.outputs).length);
  }, 60_000);

  it("has the digest that stands beside it, and changes with any byte", async () => {
    const { digest, packages } = built;
    expect(JSON.parse(await readFile(join(folder, "here/artefact.json"), "utf8"))).toEqual({
      digest,
      files: expect.arrayContaining(["functions.js", "package.json", "server.js"]),
      packages,
    });
    const copy = join(folder, "copy");
    await cp(join(folder, "here/artefact"), copy, { recursive: true });
    expect(await digestFolder(copy)).toBe(built.digest);
    await cp(join(copy, "package.json"), join(copy, "one-more.json"));
    expect(await digestFolder(copy)).not.toBe(built.digest);
  });

  it("names every package of others that is in it, and the one that the platform installs", () => {
    const named = built.packages.map(({ name, version, bundled }) => [name, /^[0-9]/.test(version), bundled]);
    expect(named).toEqual(
      expect.arrayContaining([
        ["hono", true, true],
        ["@google-cloud/firestore", true, true],
        ["firebase-functions", true, false],
      ]),
    );
    expect(named.some(([name]) => String(name).startsWith("@proveniq/"))).toBe(false);
  });

  it("names no folder of the machine that built it", async () => {
    for (const path of Object.keys(built.metafile.outputs)) {
      const text = await readFile(join(root, path), "utf8");
      expect([path, text.includes(root), text.includes(tmpdir() + "/cell")]).toEqual([path, false, false]);
    }
  });

  it("starts its server without Firestore, Firebase or the documentation", () => {
    const inputs = [...loadedAtStart(built.metafile, "server.js")];
    expect(inputs.some((file) => file.endsWith("cell-api/src/app.ts"))).toBe(true);
    const late = inputs.filter((file) => /@google-cloud|firebase|grpc|google-gax|src\/openapi\//.test(file));
    expect(late).toEqual([]);
  });

  it("exports functions only to the functions platform, and answers there", async () => {
    // As the platform does: the body is read before the function is called, and handed over as rawBody.
    const script = `import { createServer } from "node:http";
      const all = await import(${JSON.stringify(join(folder, "here/artefact/functions.js"))});
      const shown = Object.entries(all).map(([name, f]) => [name, typeof f, f.__endpoint.region, f.__endpoint.platform]);
      const server = createServer(async (request, response) => {
        request.rawBody = Buffer.concat(await request.toArray());
        all.api(request, response);
      });
      server.listen(0, "127.0.0.1", async () => {
        const base = "http://127.0.0.1:" + server.address().port;
        const cell = await (await fetch(base + "/v1/cell")).json();
        const refused = await fetch(base + "/v1/items", { method: "POST", body: "{", headers: { "x-tenant-id": "carrier-a" } });
        console.log(JSON.stringify({ shown, id: cell.id, code: (await refused.json()).code }));
        process.exit(0);
      });`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      env,
    });
    expect(JSON.parse(stdout.trim().split("\n").at(-1) ?? "")).toEqual({
      shown: ["api", "bulk", "replicate", "sink"].map((name) => [
        name,
        "function",
        ["europe-west1"],
        "gcfv2",
      ]),
      id: "eu",
      code: "unauthenticated",
    });
  });

  it("serves, and ends cleanly when told to", async () => {
    const child = spawn(process.execPath, [join(folder, "here/artefact/server.js")], { env });
    try {
      const lines = createInterface({ input: child.stdout });
      let port = 0;
      for await (const line of lines) {
        const entry = JSON.parse(line) as { message: string; port?: number };
        if (entry.message !== "cell is listening") continue;
        port = entry.port ?? 0;
        break;
      }
      const response = await fetch(`http://127.0.0.1:${port}/v1/cell`);
      expect(await response.json()).toMatchObject({ id: "eu", artefactDigest: "a".repeat(64) });
      child.kill("SIGTERM");
      expect(await once(child, "exit")).toEqual([0, null]);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("says every fault of its environment and does not start", async () => {
    const child = spawn(process.execPath, [join(folder, "here/artefact/server.js")], {
      env: {
        ...env,
        PROVENIQ_ENV: "production",
        DEVELOPMENT_ISSUER: "local-development",
        GIT_COMMIT: "",
      },
    });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    expect(await once(child, "close")).toEqual([1, null]);
    expect(said).toContain("DEVELOPMENT_ISSUER: is refused outside development");
    expect(said).toContain("GIT_COMMIT");
    expect(said).not.toContain("local-development");
    expect(said).not.toMatch(/\bat .+:\d+/);
  });
});
