import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { LogFile } from "./log-file.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "log-file-"));
  file = join(folder, "eu.log");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("writes lines in order, also those that come while it writes", async () => {
  const log = new LogFile(file);
  const lines = Array.from({ length: 2_000 }, (_, n) => `line ${n}\n`);
  for (const [n, line] of lines.entries()) {
    log.write(line);
    if (n % 100 === 0) await sleep(0);
  }
  await log.end();
  expect(await readFile(file, "utf8")).toBe(lines.join(""));
});

it("keeps one file before the present one, and no more", async () => {
  const log = new LogFile(file, { maxBytes: 100 });
  for (let n = 0; n < 50; n += 1) {
    log.write(`${String(n).padStart(9, "0")}\n`);
    await log.end();
  }
  const [now, before] = await Promise.all([readFile(file, "utf8"), readFile(`${file}.1`, "utf8")]);
  expect(now.length + before.length).toBeLessThan(250);
  expect((before + now).endsWith("000000049\n")).toBe(true);
  expect(before.length).toBeGreaterThan(100);
});

it("loses lines while it cannot write, says so once, and goes on by itself", async () => {
  const told: string[] = [];
  const log = new LogFile(join(folder, "gone", "eu.log"), { retryMs: 30, note: (text) => told.push(text) });
  for (let n = 0; n < 5; n += 1) {
    log.write("lost\n");
    await log.end();
  }
  expect(told).toEqual([expect.stringMatching(/^the log cannot be written \(ENOENT/)]);
  expect(log.failure).toMatchObject({ reason: expect.stringContaining("ENOENT") });
  await mkdir(join(folder, "gone"));
  await sleep(40);
  log.write("kept\n");
  await log.end();
  expect(told.at(-1)).toBe("the log is written again");
  expect(log.failure).toBeUndefined();
  expect(await readFile(join(folder, "gone", "eu.log"), "utf8")).toMatch(
    /^\(5 lines are missing here: ENOENT.*\)\nkept\n$/,
  );
});
