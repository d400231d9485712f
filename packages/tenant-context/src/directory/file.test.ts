import { createHash } from "node:crypto";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type FileDirectory, openFileDirectory } from "./file.ts";
import { exampleSnapshot } from "./testing/snapshot.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
let folder: string;
let file: string;
let open: FileDirectory | undefined;
let warnings: string[];

const start = async () => {
  open = await openFileDirectory({
    file,
    origins: { zone: "proveniq.io", loopback: true },
    pollMs: 20,
    log: (level, message) => (level === "warn" ? warnings.push(message) : 0),
  });
  return open.directory;
};
const replace = async (text: string) => {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
};

beforeEach(async () => {
  warnings = [];
  folder = await mkdtemp(join(tmpdir(), "directory-"));
  file = join(folder, "directory.json");
});
afterEach(async () => {
  open?.close();
  await rm(folder, { recursive: true });
});

describe("openFileDirectory", () => {
  it("has read the file once it resolves", async () => {
    await replace(JSON.stringify(exampleSnapshot()));
    expect((await start()).version).toBe(1);
  });

  it("waits for a file that is not there yet, and says so once", async () => {
    const directory = await start();
    expect(directory.lookup("carrier-a")).toBe("unavailable");
    await open?.refresh();
    expect(warnings).toEqual(["directory file not readable"]);
    await replace(JSON.stringify(exampleSnapshot()));
    await vi.waitFor(() => expect(directory.version).toBe(1));
  });

  it("follows the file when it is replaced", async () => {
    await replace(JSON.stringify(exampleSnapshot()));
    const directory = await start();
    await replace(JSON.stringify(exampleSnapshot({ version: 2 })));
    await vi.waitFor(() => expect(directory.version).toBe(2));
    expect(open?.digest()).toBe(sha256(JSON.stringify(exampleSnapshot({ version: 2 }))));
    // Another text of the same version is not believed, and not what is told.
    await replace(JSON.stringify(exampleSnapshot({ version: 2 }), null, 1));
    await open?.refresh();
    expect(open?.digest()).toBe(sha256(JSON.stringify(exampleSnapshot({ version: 2 }))));
  });

  it("keeps the last good one while the file is half-written, and takes the rest when it comes", async () => {
    await replace(JSON.stringify(exampleSnapshot()));
    const directory = await start();
    const next = JSON.stringify(exampleSnapshot({ version: 3 }));
    await writeFile(file, next.slice(0, next.length / 2));
    await vi.waitFor(() => expect(warnings).toContain("directory not believed"));
    expect(directory.version).toBe(1);
    await writeFile(file, next);
    await vi.waitFor(() => expect(directory.version).toBe(3));
  });

  it("keeps the last good one when the file goes away", async () => {
    await replace(JSON.stringify(exampleSnapshot()));
    const directory = await start();
    await rm(file);
    await vi.waitFor(() => expect(warnings).toContain("directory file not readable"));
    expect(directory.lookup("carrier-a")).toMatchObject({ epoch: 3 });
  });
});
