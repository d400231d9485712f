import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { isSource, sourcesOf, watchSources } from "./watch.ts";

it("knows sources from tests and drafts", () => {
  expect(["a.ts", "deep/b.json"].map(isSource)).toEqual([true, true]);
  expect(["a.test.ts", "notes.md", ".#a.ts", "deep/.a.ts", "a.ts~"].map(isSource)).toEqual(
    Array(5).fill(false),
  );
});

it("tells once what changed together, and again what changed meanwhile", async () => {
  const root = await mkdtemp(join(tmpdir(), "watch-"));
  const folder = join(root, "apps", "router", "src");
  await mkdir(folder, { recursive: true });
  const told: string[][] = [];
  const stop = watchSources(root, async (files) => {
    told.push(files);
    if (told.length === 1) {
      await writeFile(join(folder, "c.ts"), "3");
      await sleep(400);
    }
  });
  await writeFile(join(folder, "a.ts"), "1");
  await writeFile(join(folder, "b.ts"), "2");
  await writeFile(join(folder, "b.test.ts"), "2");
  const deadline = Date.now() + 5_000;
  while (told.length < 2 && Date.now() < deadline) await sleep(20);
  stop();
  await rm(root, { recursive: true, force: true });
  expect(told).toEqual([["apps/router/src/a.ts", "apps/router/src/b.ts"], ["apps/router/src/c.ts"]]);
});

it("watches every app and package that runs, and none of the tools", () => {
  const root = join(import.meta.dirname, "../../../..");
  const found = sourcesOf(root);
  expect(found).toEqual(
    expect.arrayContaining(["apps/cell-api/src", "apps/router/src", "packages/rows/src"]),
  );
  expect(found.filter((folder) => /fleet|local-cloud|control-plane/.test(folder))).toEqual([]);
});

it("hears of files that editors rename into place, twice, and of files in new folders", async () => {
  const root = await mkdtemp(join(tmpdir(), "watch-"));
  const folder = join(root, "packages", "rows", "src");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "a.ts"), "0");
  const told: string[] = [];
  const stop = watchSources(root, async (files) => void told.push(...files));
  const hears = async (file: string) => {
    const deadline = Date.now() + 5_000;
    while (!told.includes(file) && Date.now() < deadline) await sleep(20);
    expect(told).toContain(file);
    told.length = 0;
  };
  for (const save of ["1", "2"]) {
    await writeFile(join(folder, ".a.ts.swp"), save);
    await rename(join(folder, ".a.ts.swp"), join(folder, "a.ts"));
    await hears("packages/rows/src/a.ts");
  }
  await mkdir(join(folder, "deep", "er"), { recursive: true });
  await writeFile(join(folder, "deep", "er", "b.ts"), "1");
  await hears("packages/rows/src/deep/er/b.ts");
  stop();
  await rm(root, { recursive: true, force: true });
});
