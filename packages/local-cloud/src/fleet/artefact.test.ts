import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf, filesOf } from "@proveniq/control-plane/artefact";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { installArtefact, installRouter } from "./artefact.ts";

let folder: string;
let dist: string;
let into: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "artefact-"));
  dist = join(folder, "dist");
  into = join(folder, "artefacts");
  await mkdir(join(dist, "artefact", "chunks"), { recursive: true });
  await writeFile(join(dist, "artefact", "server.js"), "one");
  await writeFile(join(dist, "artefact", "chunks", "a.js"), "two");
});

afterEach(async () => rm(folder, { recursive: true, force: true }));

async function describeBuild(): Promise<string> {
  const files = await filesOf(join(dist, "artefact"));
  const digest = digestOf(files);
  await writeFile(
    join(dist, "artefact.json"),
    JSON.stringify({ digest, files: [...files.keys()], packages: [] }),
  );
  return digest;
}

describe("an artefact", () => {
  it("is copied to a folder named by its digest, once", async () => {
    const digest = await describeBuild();
    const first = await installArtefact(dist, into);
    expect(first).toEqual({ digest, folder: join(into, digest) });
    expect(await readFile(join(first.folder, "chunks", "a.js"), "utf8")).toBe("two");
    expect(await installArtefact(dist, into)).toEqual(first);
    expect(await readdir(into)).toEqual([digest]);
  });

  it("is copied again when somebody changed the copy", async () => {
    await describeBuild();
    const { folder: copy } = await installArtefact(dist, into);
    await writeFile(join(copy, "server.js"), "changed");
    await installArtefact(dist, into);
    expect(await readFile(join(copy, "server.js"), "utf8")).toBe("one");
  });

  it("is what its build names: files of an earlier one, over which a cache has put it, are left out", async () => {
    const first = await describeBuild();
    const described = await readFile(join(dist, "artefact.json"));
    await writeFile(join(dist, "artefact", "chunks", "b.js"), "of the second build");
    await writeFile(join(dist, "artefact", "server.js"), "two");
    const second = await describeBuild();
    expect((await installArtefact(dist, into)).digest).toBe(second);
    // Back to the first, as a cache brings it: its files over what is there.
    await writeFile(join(dist, "artefact", "server.js"), "one");
    await writeFile(join(dist, "artefact.json"), described);
    const { digest, folder: copy } = await installArtefact(dist, into);
    expect(digest).toBe(first);
    expect((await readdir(join(copy, "chunks"))).sort()).toEqual(["a.js"]);
  });

  it("is refused when it is not what the build said, and when nothing was built", async () => {
    await describeBuild();
    await writeFile(join(dist, "artefact", "server.js"), "changed");
    await expect(installArtefact(dist, into)).rejects.toThrow("it was changed after the build");
    await expect(readdir(into)).rejects.toThrow("ENOENT");
    await expect(installArtefact(folder, into)).rejects.toThrow("Run `npm run build`");
    await writeFile(join(dist, "artefact.json"), '{"digest": "abc"}');
    await expect(installArtefact(dist, into)).rejects.toThrow("artefact.json");
  });
});

describe("the router's bundle", () => {
  it("is copied beside it, so that a later build does not change what runs", async () => {
    await writeFile(join(dist, "server.js"), "router 1");
    const { file, digest } = await installRouter(dist, into);
    await writeFile(join(dist, "server.js"), "router 2");
    expect(await readFile(file, "utf8")).toBe("router 1");
    expect((await installRouter(dist, into)).digest).not.toBe(digest);
    await expect(installRouter(folder, into)).rejects.toThrow("the router is not built");
  });
});
