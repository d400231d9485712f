import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { sha256Of } from "../artefact/digest.ts";
import { type ImageFile, tarOf, writeImage } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "image-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = (words: string): ImageFile => ({ bytes: Buffer.from(words) });
const files: [string, ImageFile][] = [
  ["app/server.js", text("console.log(1)")],
  ["usr/bin/node", { bytes: Buffer.alloc(1_500, 7), executable: true }],
  ["etc/empty", text("")],
];
const image = (...all: [string, ImageFile][]) => ({
  layers: [new Map(all.slice(1)), new Map(all.slice(0, 1))],
  entrypoint: ["/usr/bin/node", "/app/server.js"],
  folder: "/app",
});

describe("a tar", () => {
  it("is read by tar itself, with its folders and rights", () => {
    const file = join(folder, "a.tar");
    writeFileSync(file, tarOf(new Map(files)));
    const listed = execFileSync("tar", ["--numeric-owner", "--utc", "-tvf", file], { encoding: "utf8" });
    expect(listed.trim().split("\n")).toEqual([
      expect.stringMatching(/^drwxr-xr-x 0\/0 +0 1970-01-01 00:00 app\/$/),
      expect.stringMatching(/^-r--r--r-- 0\/0 +14 1970-01-01 00:00 app\/server.js$/),
      expect.stringMatching(/^drwxr-xr-x 0\/0 +0 1970-01-01 00:00 etc\/$/),
      expect.stringMatching(/^-r--r--r-- 0\/0 +0 1970-01-01 00:00 etc\/empty$/),
      expect.stringMatching(/^drwxr-xr-x 0\/0 +0 1970-01-01 00:00 usr\/$/),
      expect.stringMatching(/^drwxr-xr-x 0\/0 +0 1970-01-01 00:00 usr\/bin\/$/),
      expect.stringMatching(/^-r-xr-xr-x 0\/0 +1500 1970-01-01 00:00 usr\/bin\/node$/),
    ]);
    const told = execFileSync("tar", ["-xOf", file, "usr/bin/node"]);
    expect(told.equals(Buffer.alloc(1_500, 7))).toBe(true);
  });

  it.each(["/etc/passwd", "../up", "a/../b", "a//b", "./a", "", "a".repeat(101)])(
    "takes no path like %j",
    (path) => {
      expect(() => tarOf(new Map([[path, text("")]]))).toThrow(/relative, plain/);
    },
  );
});

describe("an image", () => {
  it("has one digest, in whatever order and folder it is made, and another for another byte", async () => {
    const one = await writeImage(image(...files), join(folder, "one"));
    const [first, ...rest] = files;
    if (first === undefined) throw new Error("no files");
    const two = await writeImage(image(first, ...rest.toReversed()), join(folder, "deeper/two"));
    expect(two).toBe(one);
    const other = await writeImage(
      image(["app/server.js", text("console.log(2)")], ...rest),
      join(folder, "other"),
    );
    expect(other).not.toBe(one);
    // Written once more into the same place: nothing of the former is left.
    await writeImage(image(...files), join(folder, "other"));
    expect(readdirSync(join(folder, "other/blobs/sha256")).sort()).toEqual(
      readdirSync(join(folder, "one/blobs/sha256")).sort(),
    );
    expect(readdirSync(folder).filter((name) => name.includes(".new-"))).toEqual([]);
  });

  it("is a layout whose every name is the digest of what it holds", async () => {
    const out = join(folder, "layout");
    const digest = await writeImage(image(...files), out);
    const blob = (name: string) => readFileSync(join(out, "blobs/sha256", name.replace(/^sha256:/, "")));
    const read = (name: string) => JSON.parse(blob(name).toString());
    for (const name of readdirSync(join(out, "blobs/sha256"))) expect(sha256Of(blob(name))).toBe(name);
    const index = JSON.parse(readFileSync(join(out, "index.json"), "utf8"));
    expect(index.manifests.map((m: { digest: string }) => m.digest)).toEqual([digest]);
    const { config, layers } = read(digest);
    const { rootfs, config: run } = read(config.digest);
    expect(layers.map((l: { digest: string }) => `sha256:${sha256Of(gunzipSync(blob(l.digest)))}`)).toEqual(
      rootfs.diff_ids,
    );
    expect(run).toMatchObject({ User: "65532:65532", Entrypoint: ["/usr/bin/node", "/app/server.js"] });
  });
});
