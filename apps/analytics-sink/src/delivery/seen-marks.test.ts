import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { fromBitmap, toBitmap } from "./bitmap.ts";
import { SeenMarks } from "./seen-marks.ts";

const mark = () => randomBytes(16).toString("base64url");

test("what was added is known, by its day alone, and hardly anything else is", () => {
  const seen = new SeenMarks(64 * 1024);
  const added = Array.from({ length: 20_000 }, mark);
  for (const m of added) seen.add("2026-11-23", m);
  expect(added.every((m) => seen.has("2026-11-23", m))).toBe(true);
  expect(added.some((m) => seen.has("2026-11-24", m))).toBe(false);
  const wrong = Array.from({ length: 20_000 }, mark).filter((m) => seen.has("2026-11-23", m));
  expect(wrong.length).toBeLessThan(200);
});

test("days before the last few are forgotten, so that memory is bounded", () => {
  const seen = new SeenMarks(1024, 2);
  const m = mark();
  for (const day of ["2026-11-21", "2026-11-22", "2026-11-23"]) seen.add(day, m);
  expect(["2026-11-21", "2026-11-22", "2026-11-23"].map((day) => seen.has(day, m))).toEqual([
    false,
    true,
    true,
  ]);
});

test("a bitmap gives back every answer", () => {
  const answers = Array.from({ length: 1_003 }, (_, n) => n % 3 === 0 || n === 1_002);
  const read = fromBitmap(toBitmap(answers));
  expect(answers.map((_, n) => read(n))).toEqual(answers);
  expect(toBitmap([])).toBe("");
});
