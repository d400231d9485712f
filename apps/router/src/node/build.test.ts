import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { bundleServer, inspectCore, strangersIn } from "../../build.ts";

const router = fileURLToPath(new URL("../..", import.meta.url));

describe("the router's bundle", () => {
  it("is the same, byte for byte, from another folder", async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), "router-"));
    const copy = join(elsewhere, "deeper/down/router");
    await cp(join(router, "src"), join(copy, "src"), { recursive: true });
    await cp(join(router, "package.json"), join(copy, "package.json"));
    await symlink(join(router, "../../node_modules"), join(elsewhere, "node_modules"));
    const [here, there] = await Promise.all([bundleServer(), bundleServer(copy)]);
    await rm(elsewhere, { recursive: true });
    expect(here.length).toBeGreaterThan(10_000);
    expect(there === here).toBe(true);
  });
});

describe("the router's core", () => {
  it("needs no Node, no database and no Firebase, down to the last module", async () => {
    const metafile = await inspectCore();
    expect(Object.keys(metafile.inputs).some((path) => path.endsWith("decide/decide.ts"))).toBe(true);
    expect(strangersIn(metafile)).toEqual([]);
  });

  it("would not pass if it did", async () => {
    expect(strangersIn(await inspectCore("src/node/log.ts"))).toContain("node:crypto");
  });
});
