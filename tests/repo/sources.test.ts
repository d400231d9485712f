import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("no declaration that a compiler made stands beside its source", () => {
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.ts"], {
    cwd: root,
    encoding: "utf8",
  });
  const files = new Set(listed.trim().split("\n"));
  expect(files.size).toBeGreaterThan(500);
  const made = [...files].filter(
    (file) => file.endsWith(".d.ts") && files.has(file.replace(/\.d\.ts$/, ".ts")),
  );
  expect(made).toEqual([]);
});
