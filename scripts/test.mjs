// `npm test`: format, lint, types, build, then every test; ends with one line `N passed, N failed`.
// Each check counts as one. `--checks-only` leaves out the tests.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [major] = process.versions.node.split(".");
if (Number(major) < 24) {
  console.error(`Tests run on Node 24; this is ${process.version}. Use \`npm test\`, which brings its own.`);
  process.exit(1);
}

let passed = 0;
let failed = 0;
let skipped = 0;

/** Run one command, its output shown; true when it ended with 0. */
function run(name, command, args) {
  const started = Date.now();
  console.log(`\n▶ ${name}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  console.log(`${status === 0 ? "✔" : "✘"} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  return status === 0;
}

const checks = [
  ["format (biome)", "biome", ["check", "."]],
  ["lint (oxlint, type-aware)", "oxlint", ["--deny-warnings"]],
  ["types (tsc -b)", "tsc", ["-b"]],
  ["build (turbo)", "turbo", ["run", "build", "--output-logs=errors-only"]],
];
for (const [name, command, args] of checks) {
  if (run(name, command, args)) passed++;
  else failed++;
}

if (!process.argv.includes("--checks-only")) {
  const folder = mkdtempSync(join(tmpdir(), "proveniq-test-"));
  const report = join(folder, "report.json");
  const args = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const ok = run("tests (vitest)", "vitest", args);
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites, numPendingTests, success } = JSON.parse(
      readFileSync(report, "utf8"),
    );
    passed += numPassedTests;
    skipped += numPendingTests;
    // A file that fails to load, or a set-up that fails, has no failed test: it must count all the same.
    failed += numFailedTests > 0 ? numFailedTests : ok && success ? 0 : Math.max(1, numFailedTestSuites);
  } catch {
    console.error("The test runner left no report.");
    failed++;
  }
  rmSync(folder, { recursive: true, force: true });
}

/** System tools without which some tests say that they were not run. */
const tools = {
  terraform: "the plans of infra/terraform, their rules, planted mistakes and the URL maps",
  "redis-server": "the directory in a real Redis",
};
if (skipped > 0) {
  for (const [tool, what] of Object.entries(tools)) {
    const found = spawnSync("sh", ["-c", `command -v ${tool}`], { stdio: "ignore" }).status === 0;
    if (!found) console.log(`\nNOT RUN, because ${tool} is not installed: ${what}.`);
  }
  const { commit } = JSON.parse(readFileSync(join(root, "infra/releases/last.json"), "utf8"));
  const history = spawnSync("git", ["cat-file", "-e", `${commit}^{commit}`], { cwd: root, stdio: "ignore" });
  if (history.status !== 0) {
    console.log(
      `\nNOT RUN, because the history of this clone does not hold ${commit} (\`git fetch --unshallow\` brings it): the last release beside this version, over one database.`,
    );
  }
}
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed === 0 ? 0 : 1);
