import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((f) => f !== "" && existsSync(join(root, f)));

/** Links to files, and paths in backticks that begin with one of our folders. Placeholders like <id> are no paths. */
function citedPaths(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  const links = [...text.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map(([, to = ""]) =>
    join(dirname(file), to),
  );
  const quoted = [
    ...text.matchAll(/`((?:apps|packages|infra|tests|examples|bench|docs|scripts)\/[^`\s<>{}*…]+)`/g),
  ].map(([, path = ""]) => path.replace(/[:#].*$/, ""));
  return [...links, ...quoted];
}

test.each(files)("%s cites only paths that exist", (file) => {
  expect(citedPaths(file).filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

const scripts = Object.keys(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts);
test.each(files)("%s names only npm scripts that exist", (file) => {
  const named = [...readFileSync(join(root, file), "utf8").matchAll(/\bnpm run ([a-z:-]+)/g)].map(
    ([, name = ""]) => name,
  );
  expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
});

test("every runbook that the status and the alerts name is there", () => {
  const judge = readFileSync(join(root, "packages/control-plane/src/status/judge.ts"), "utf8");
  const alerts = readFileSync(join(root, "infra/terraform/modules/cell/watching.tf"), "utf8");
  const named = [...judge.matchAll(/page\("([a-z-]+)"\)/g), ...alerts.matchAll(/runbooks\}\/([a-z-]+)\.md/g)];
  expect(named.length).toBeGreaterThan(5);
  const missing = named
    .map(([, name = ""]) => `docs/runbooks/${name}.md`)
    .filter((f) => !existsSync(join(root, f)));
  expect(missing).toEqual([]);
});
