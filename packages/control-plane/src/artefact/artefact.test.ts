import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { zipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestFolder, digestOf, filesOf, sha256Of } from "./digest.ts";
import { packArtefact, readBuilt, readPacked, unpackArtefact } from "./pack.ts";
import { unzipInto, zipOf } from "./zip.ts";

let folder: string;
let dist: string;
let out: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "pack-"));
  dist = join(folder, "dist");
  out = join(folder, "out");
  await mkdir(join(dist, "artefact", "chunks"), { recursive: true });
  await writeFile(join(dist, "artefact", "server.js"), "one");
  await writeFile(join(dist, "artefact", "chunks", "a.js"), "two");
  const packages = [{ name: "@scope/hono", version: "4.0.0", license: "MIT", bundled: true }];
  const files = await filesOf(join(dist, "artefact"));
  await writeFile(
    join(dist, "artefact.json"),
    JSON.stringify({ digest: digestOf(files), files: [...files.keys()], packages }),
  );
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

const pack = (from = dist) => packArtefact({ root: folder, dist: from, out });

describe("a packed artefact", () => {
  it("has the digest of its sorted lines of path and hash", async () => {
    // printf 'chunks/a.js %s\nserver.js %s\n' "$(printf two | sha256sum)" … | sha256sum
    expect(await digestFolder(join(dist, "artefact"))).toBe(
      "34dc811a881d3931d73fb3fc83ee6339aac1f6252a2d216104936c8334206962",
    );
  });

  it("has the same bytes from another folder, on another day, in another time zone", async () => {
    const { zipSha256, digest } = await pack();
    const elsewhere = join(folder, "else", "where");
    await cp(dist, elsewhere, { recursive: true });
    const file = join(elsewhere, "artefact", "server.js");
    await utimes(file, new Date(0), new Date(0));
    expect(await pack(elsewhere)).toMatchObject({ zipSha256, digest });
    const script = `import { zipOf } from ${JSON.stringify(new URL("./zip.ts", import.meta.url).href)};
      process.stdout.write(zipOf(new Map([["a", Buffer.from("b")]])));`;
    const zips = await Promise.all(
      ["Pacific/Kiritimati", "America/St_Johns", "UTC"].map(async (TZ) => {
        const run = promisify(execFile);
        const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], {
          env: { ...process.env, TZ },
          encoding: "buffer",
        });
        return sha256Of(stdout);
      }),
    );
    expect(new Set(zips).size).toBe(1);
    expect(zips[0]).toBe(sha256Of(zipOf(new Map([["a", Buffer.from("b")]]))));
  });

  it("comes with its commit and what is in it, and comes back whole", async () => {
    const packed = await pack();
    expect(packed).toMatchObject({ commit: "unknown", modified: true, zip: "cell.zip" });
    expect(await readPacked(packed.folder)).toEqual(packed);
    const sbom: unknown = JSON.parse(await readFile(join(packed.folder, packed.sbom), "utf8"));
    expect(sbom).toMatchObject({
      specVersion: "1.6",
      components: [{ purl: "pkg:npm/%40scope/hono@4.0.0", licenses: [{ expression: "MIT" }] }],
    });
    const unpacked = await unpackArtefact(packed, join(folder, "installed"));
    expect(await digestFolder(unpacked)).toBe(packed.digest);
    expect(await readdir(join(folder, "installed"))).toEqual([packed.digest]);
    await writeFile(join(unpacked, "server.js"), "changed");
    await unpackArtefact(packed, join(folder, "installed"));
    expect(await readFile(join(unpacked, "server.js"), "utf8")).toBe("one");
  });

  it("is refused when it is not what stands beside it", async () => {
    const packed = await pack();
    await expect(readPacked(dist)).rejects.toThrow("artefact.json is not valid");
    await expect(readPacked(join(folder, "nothing"))).rejects.toThrow("`fleet pack` makes such a folder");
    const lie = { ...packed, digest: "0".repeat(64) };
    await expect(unpackArtefact(lie, join(folder, "installed"))).rejects.toThrow("have the digest");
    expect(await readdir(join(folder, "installed"))).toEqual([]);
    await writeFile(join(packed.folder, packed.zip), "rubbish");
    await expect(readPacked(packed.folder)).rejects.toThrow("is not the zip that");
    await writeFile(join(dist, "artefact", "server.js"), "changed");
    await expect(pack()).rejects.toThrow("it was changed after the build");
    await expect(readBuilt(join(folder, "nothing"))).rejects.toThrow("the cell is not built");
  });
});

describe("a zip from elsewhere", () => {
  it.each(["../out", "/etc/passwd", "a/../../b", "a\\b", "C:/x", "a//b", "./a"])(
    "with the path %s is refused, and nothing is written",
    async (path) => {
      const target = join(folder, "target");
      await expect(unzipInto(zipSync({ [path]: Buffer.from("x") }), target)).rejects.toThrow("leads out");
      expect(await readdir(folder)).not.toContain("target");
    },
  );

  it("that unpacks to far too much, or is none, is refused", async () => {
    const bomb = zipSync({ a: new Uint8Array(201 * 1024 * 1024) }, { level: 9 });
    await expect(unzipInto(bomb, join(folder, "target"))).rejects.toThrow("holds more than");
    await expect(unzipInto(Buffer.from("PK no"), join(folder, "target"))).rejects.toThrow("not a zip");
  });
});
