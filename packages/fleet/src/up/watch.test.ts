import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { isSource, watchSources } from "./watch.ts";

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
