import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { keepInFile } from "./keep.ts";
import { RefreshedDirectory } from "./refreshed-directory.ts";
import { exampleSnapshot } from "./testing/snapshot.ts";

let folder: string;
let file: string;
let warnings: string[];
const log = (level: string, message: string) => void (level === "warn" && warnings.push(message));
const origins = { zone: "proveniq.io", loopback: true };
const open = (read: () => Promise<unknown>) => new RefreshedDirectory({ read, log, origins });

beforeEach(async () => {
  warnings = [];
  folder = await mkdtemp(join(tmpdir(), "keep-"));
  file = join(folder, "kept.json");
});
afterEach(() => rm(folder, { recursive: true }));

describe("keepInFile", () => {
  it("lets the next process begin with what this one knew, with the source down", async () => {
    const first = open(async () => exampleSnapshot());
    const stop = await keepInFile(first, { file, log });
    await first.ready();
    await stop();
    const second = open(() => Promise.reject(new Error("down")));
    const stopSecond = await keepInFile(second, { file, log });
    await second.ready();
    expect(second.lookup("carrier-a")).toMatchObject({ cell: { id: "enterprise-a" } });
    await stopSecond();
  });

  it("writes by itself while the process runs, so that a crash loses little", async () => {
    const directory = open(async () => exampleSnapshot());
    const stop = await keepInFile(directory, { file, log, everyMs: 10 });
    await directory.ready();
    await vi.waitFor(async () =>
      expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ version: 1 }),
    );
    await stop();
  });

  it("begins empty, and says so, when the file is broken", async () => {
    await writeFile(file, '{"version":');
    const directory = open(() => Promise.reject(new Error("down")));
    const stop = await keepInFile(directory, { file, log });
    expect(warnings).toContain("no kept directory");
    expect(directory.hostTable()).toBeUndefined();
    await stop();
  });
});
