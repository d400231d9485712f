import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { LineWriter } from "./line-writer.ts";

let folder: string;
let fd: number;
const text = () => readFileSync(join(folder, "log"), "utf8");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "line-writer-"));
  fd = openSync(join(folder, "log"), "w");
});
afterEach(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

it("writes every line whole and in order, however long and many they are", async () => {
  const lines = fc.array(fc.string({ unit: "grapheme", maxLength: 60 }).map((s) => JSON.stringify(s)));
  const all: string[] = [];
  const writer = new LineWriter(fd, 1);
  await fc.assert(
    fc.asyncProperty(lines, fc.constantFrom(1, 5_000), async (some, times) => {
      for (const line of some) {
        const long = line.repeat(times);
        all.push(long);
        writer.line(long);
      }
      await expect.poll(text, { interval: 1, timeout: 5_000 }).toBe(all.map((line) => `${line}\n`).join(""));
    }),
    { numRuns: 20 },
  );
});

it("gathers lines for its time, and writes what waits when the process ends", async () => {
  const writer = new LineWriter(fd, 60_000);
  writer.line("one");
  writer.line("two");
  expect(text()).toBe("");
  writer.flushSync();
  writer.flushSync();
  expect(text()).toBe("one\ntwo\n");
});

it.runIf(process.platform === "linux")(
  "waits for nobody: what no reader takes is dropped, and counted",
  async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    // Opened for both, or opening would wait for the other end.
    const end = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    const writer = new LineWriter(end, 1);
    const line = "x".repeat(99_999);
    for (let n = 0; n < 100; n += 1) writer.line(line);
    const piece = Buffer.alloc(65_536);
    let read = "";
    const more = () => {
      try {
        read += piece.toString("latin1", 0, readSync(end, piece));
      } catch {
        // Nothing yet.
      }
      return read;
    };
    await expect.poll(more, { interval: 1, timeout: 10_000 }).toContain("log lines dropped");
    const told = read.split("\n").slice(0, -1);
    const dropped: unknown = JSON.parse(told.at(-1) ?? "");
    expect(dropped).toMatchObject({ severity: "WARNING", count: 100 - (told.length - 1) });
    expect(new Set(told.slice(0, -1))).toEqual(new Set([line]));
    closeSync(end);
  },
);
