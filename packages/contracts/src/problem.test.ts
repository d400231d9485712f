import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { makeProblem, problem, problemCodes } from "./problem.ts";

const page = readFileSync(new URL("../../../docs/failure-modes.md", import.meta.url), "utf8");

test.each(problemCodes)("%s is a valid problem and has its heading in docs/failure-modes.md", (code) => {
  expect(problem.parse(makeProblem(code, "4bf92f3577b34da6a3ce929d0e0e4736", "why"))).toMatchObject({
    code,
    detail: "why",
  });
  expect(page.split("\n")).toContain(`## ${code}`);
});

test("docs/failure-modes.md has no heading for a code that is gone", () => {
  const headings = page.split("\n").flatMap((l) => (l.startsWith("## ") ? [l.slice(3)] : []));
  expect(headings).toEqual([...problemCodes]);
});
