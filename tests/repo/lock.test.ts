import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";

const lock = z
  .object({
    packages: z.record(
      z.string(),
      z.object({
        version: z.string().optional(),
        resolved: z.string().optional(),
        optionalDependencies: z.record(z.string(), z.string()).optional(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8")));

/** npm looks for a dependency in the folder of the package, then in each folder above it. */
function isInLock(from: string, name: string): boolean {
  for (let at = from; ; ) {
    if (lock.packages[`${at === "" ? "" : `${at}/`}node_modules/${name}`] !== undefined) return true;
    if (at === "") return false;
    const up = at.lastIndexOf("/node_modules/");
    at = up < 0 ? "" : at.slice(0, up);
  }
}

test("every optional dependency that the lock names is itself in it, or npm ci fails elsewhere", () => {
  const missing = Object.entries(lock.packages).flatMap(([path, entry]) =>
    Object.keys(entry.optionalDependencies ?? {})
      .filter((name) => !isInLock(path, name))
      .map((name) => `${path || "package.json"} → ${name}`),
  );
  expect(missing).toEqual([]);
});

test("the lock names no download address, so that any registry serves it", () => {
  const pinned = Object.entries(lock.packages).filter(([, e]) => e.resolved?.startsWith("http"));
  expect(pinned.map(([path]) => path)).toEqual([]);
});
