import { execFile } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadFleet } from "../fleet/load.ts";
import { addCell } from "./add.ts";
import { addToLock, cellWorkspace } from "./lock.ts";
import { ownIssuer, scratchRepository } from "./testing/scratch.ts";

const run = promisify(execFile);
/** No cell is called that, and none should be. */
const fresh = { id: "zz-new", region: "europe-north1", residency: "eu", issuer: ownIssuer };
let root: string;

beforeEach(async () => {
  root = await scratchRepository();
});

afterEach(async () => rm(root, { recursive: true, force: true }));

const read = (file: string) => readFile(join(root, file), "utf8");

describe("the workspace of a cell", () => {
  it("is the one that adding a cell would write, for each that is there", async () => {
    const infra = fileURLToPath(new URL("../../../../infra/", import.meta.url));
    const { manifests } = await loadFleet(infra);
    for (const id of Object.keys(manifests)) {
      const text = await readFile(join(infra, "cells", id, "package.json"), "utf8");
      expect(JSON.parse(text)).toEqual(cellWorkspace(id));
    }
  });
});

describe("adding a cell", () => {
  it("makes a repository that loads, and a lock that npm finds complete without the network", async () => {
    const added = await addCell(root, fresh);
    expect(added.files).toEqual([
      "infra/cells/zz-new/cell.json",
      "infra/cells/zz-new/package.json",
      "docs/fleet.md",
      "package-lock.json",
    ]);
    const { manifests } = await loadFleet(join(root, "infra"));
    expect(manifests["zz-new"]).toEqual(added.manifest);

    const lock = await read("package-lock.json");
    await run("npm", ["install", "--package-lock-only", "--offline", "--ignore-scripts"], { cwd: root });
    expect(await read("package-lock.json")).toBe(lock);
  }, 30_000);

  it("changes nothing when it is refused, nor when something of that name is in the way", async () => {
    const before = await read("package-lock.json");
    await expect(addCell(root, { ...fresh, region: "mars" })).rejects.toThrow("--region");
    await writeFile(join(root, "infra", "cells", "zz-new"), "a file");
    await expect(addCell(root, fresh)).rejects.toThrow("EEXIST");
    await rm(join(root, "infra", "cells", "zz-new"));
    expect(await read("package-lock.json")).toBe(before);
    expect(await readdir(join(root, "infra", "cells"))).not.toContain("zz-new");
  });

  it("leaves no half of a cell when the lock cannot be read", async () => {
    await writeFile(join(root, "package-lock.json"), '{"lockfileVersion": 1}');
    await expect(addCell(root, fresh)).rejects.toThrow("lockfileVersion 3");
    expect(await readdir(join(root, "infra", "cells"))).not.toContain("zz-new");
  });

  it("keeps all else in the lock as it was", async () => {
    const before = await read("package-lock.json");
    const after = addToLock(before, "zz-new");
    const added = after.split("\n").filter((line) => !before.includes(line));
    expect(added.map((line) => line.trim())).toEqual([
      '"infra/cells/zz-new": {',
      '"name": "@proveniq/cell-zz-new",',
      '"node_modules/@proveniq/cell-zz-new": {',
      '"resolved": "infra/cells/zz-new",',
    ]);
    expect(addToLock(after, "zz-new")).toBe(after);
  });
});
