import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { isAlive } from "../process/lifeline.ts";
import { buildAll } from "./build.ts";

let root: string;
const env = { PATH: process.env["PATH"] };

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "build-"));
  await mkdir(join(root, "node_modules", ".bin"), { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));

/** A build that does this. */
async function turbo(script: string): Promise<void> {
  const file = join(root, "node_modules", ".bin", "turbo");
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

describe("a build", () => {
  it("ends at once when its start is aborted, with all that it started", async () => {
    await turbo('sleep 60 & echo "$!" > pid; wait');
    const aborted = new AbortController();
    const building = buildAll(root, env, aborted.signal);
    building.catch(() => undefined);
    const pid = await vi.waitFor(async () => {
      const text = await readFile(join(root, "pid"), "utf8");
      expect(text).toMatch(/^[0-9]+\n$/);
      return Number(text);
    });
    aborted.abort(new Error("stopped while starting"));
    await expect(building).rejects.toThrow("stopped while starting");
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false));
  });

  it("does not begin when it is aborted already", async () => {
    await turbo("touch begun");
    const reason = new Error("stopped while starting");
    await expect(buildAll(root, env, AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(readFile(join(root, "begun"))).rejects.toThrow("ENOENT");
  });

  it("that fails says so in its own words", async () => {
    await turbo("echo type error; exit 2");
    await expect(buildAll(root, env)).rejects.toThrow("The build failed (exit code 2):\ntype error");
  });
});
