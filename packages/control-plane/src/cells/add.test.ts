import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadFleet } from "../fleet/load.ts";
import { addCell } from "./add.ts";
import { addToLock } from "./lock.ts";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../../../..", import.meta.url));
const nordic = { id: "nordic", region: "europe-north1", residency: "eu" };
let root: string;

/** What npm and the loader read of the repository: manifests, the lock and every workspace's package.json. */
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "cells-"));
  const lock = JSON.parse(await readFile(join(repository, "package-lock.json"), "utf8")) as {
    packages: Record<string, unknown>;
  };
  const workspaces = Object.keys(lock.packages).filter((path) => !path.includes("node_modules"));
  const files = [
    ...workspaces.map((path) => join(path, "package.json")),
    "package-lock.json",
    "infra/fleet.json",
  ];
  const manifests = workspaces
    .filter((path) => path.startsWith("infra/cells/"))
    .map((p) => join(p, "cell.json"));
  for (const file of [...files, ...manifests]) {
    await cp(join(repository, file), join(root, file), { recursive: true });
  }
});

afterEach(async () => rm(root, { recursive: true, force: true }));

const read = (file: string) => readFile(join(root, file), "utf8");

describe("adding a cell", () => {
  it("makes a repository that loads, and a lock that npm finds complete without the network", async () => {
    const added = await addCell(root, nordic);
    expect(added.files).toEqual([
      "infra/cells/nordic/cell.json",
      "infra/cells/nordic/package.json",
      "package-lock.json",
    ]);
    const { manifests } = await loadFleet(join(root, "infra"));
    expect(manifests["nordic"]).toEqual(added.manifest);

    const lock = await read("package-lock.json");
    await run("npm", ["install", "--package-lock-only", "--offline", "--ignore-scripts"], { cwd: root });
    expect(await read("package-lock.json")).toBe(lock);
  }, 30_000);

  it("changes nothing when it is refused, nor when something of that name is in the way", async () => {
    const before = await read("package-lock.json");
    await expect(addCell(root, { ...nordic, region: "mars" })).rejects.toThrow("--region");
    await writeFile(join(root, "infra", "cells", "nordic"), "a file");
    await expect(addCell(root, nordic)).rejects.toThrow("EEXIST");
    await rm(join(root, "infra", "cells", "nordic"));
    expect(await read("package-lock.json")).toBe(before);
    expect(await readdir(join(root, "infra", "cells"))).not.toContain("nordic");
  });

  it("leaves no half of a cell when the lock cannot be read", async () => {
    await writeFile(join(root, "package-lock.json"), '{"lockfileVersion": 1}');
    await expect(addCell(root, nordic)).rejects.toThrow("lockfileVersion 3");
    expect(await readdir(join(root, "infra", "cells"))).not.toContain("nordic");
  });

  it("keeps all else in the lock as it was", async () => {
    const before = await read("package-lock.json");
    const after = addToLock(before, "nordic");
    const added = after.split("\n").filter((line) => !before.includes(line));
    expect(added.map((line) => line.trim())).toEqual([
      '"infra/cells/nordic": {',
      '"name": "@proveniq/cell-nordic",',
      '"node_modules/@proveniq/cell-nordic": {',
      '"resolved": "infra/cells/nordic",',
    ]);
    expect(addToLock(after, "nordic")).toBe(after);
  });
});
