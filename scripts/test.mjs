// `npm test`: format, lint, types, build, then every test; ends with one line `N passed, N failed`.
// Each check counts as one. `--checks-only` leaves out the tests.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
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

/**
 * Test runs beside each other: those of fleets wait for processes much of the time, so that three keep two cores busy. The
 * output of all but the first is shown when they have ended.
 */
const runs = [
  ["tests of the parts (vitest)", ["unit", "emulator", "infra"]],
  ["tests of the whole fleet (vitest)", ["fleet"]],
  ["tests of fleets and cells of their own (vitest)", ["apart"]],
];

/** Run vitest for some projects; resolves when it has ended and its tests are counted. */
async function runTests(name, projects, folder, shownAtOnce) {
  const started = Date.now();
  console.log(`\n▶ ${name}`);
  const report = join(folder, `${projects[0]}.json`);
  const args = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const child = spawn("vitest", [...args, ...projects.map((project) => `--project=${project}`)], {
    cwd: root,
    stdio: ["ignore", shownAtOnce ? "inherit" : "pipe", shownAtOnce ? "inherit" : "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => {
      output += chunk.toString();
    });
  const status = await new Promise((resolve) => {
    child.on("error", () => resolve(1));
    child.on("close", resolve);
  });
  const ok = status === 0;
  console.log(`${output}\n${ok ? "✔" : "✘"} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  try {
    const told = JSON.parse(readFileSync(report, "utf8"));
    passed += told.numPassedTests;
    skipped += told.numPendingTests;
    // A file that fails to load, or a set-up that fails, has no failed test: it must count all the same.
    if (told.numFailedTests > 0) failed += told.numFailedTests;
    else if (!ok || !told.success) failed += Math.max(1, told.numFailedTestSuites);
  } catch {
    console.error(`${name}: the test runner left no report.`);
    failed++;
  }
}

if (!process.argv.includes("--checks-only")) {
  const folder = mkdtempSync(join(tmpdir(), "proveniq-test-"));
  await Promise.all(runs.map(([name, projects], n) => runTests(name, projects, folder, n === 0)));
  rmSync(folder, { recursive: true, force: true });
}

/** System tools without which some tests say that they were not run. */
const tools = {
  terraform: "the plans of infra/terraform, their rules and the URL maps",
  "redis-server": "the directory in a real Redis",
  schemathesis: "the API held to its document by somebody else's tests",
};
if (skipped > 0) {
  for (const [tool, what] of Object.entries(tools)) {
    const found = spawnSync("sh", ["-c", `command -v ${tool}`], { stdio: "ignore" }).status === 0;
    if (!found) console.log(`\nNOT RUN, because ${tool} is not installed: ${what}.`);
  }
  const has = (variable, folder) =>
    process.env[variable] || existsSync(join(root, "../shared/tools", folder));
  const go = spawnSync("sh", ["-c", "command -v go"], { stdio: "ignore" }).status === 0;
  if (
    !(
      go &&
      has("TERRAFORM_GOOGLE_PROVIDER", "google-provider") &&
      has("GOOGLE_CONTROL_PLANE", "google-control-plane")
    )
  ) {
    console.log(
      "\nNOT RUN, because Go, Google's provider for Terraform or a stand-in of Google's APIs is not here (infra/terraform/README.md): applies of infra/terraform.",
    );
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
