import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadFleet } from "@proveniq/control-plane";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, ".github/workflows");
const files = readdirSync(folder);
const read = (file: string) => readFileSync(join(folder, file), "utf8");
const hasJq = ((): boolean => {
  try {
    execFileSync("jq", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

describe.each(files)("the workflow %s", (file) => {
  test("uses actions by their commit alone, and says which version that is", () => {
    const uses = [...read(file).matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, what = ""]) => what);
    expect(uses.length).toBeGreaterThan(0);
    expect(uses.filter((u) => !/^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(u))).toEqual([]);
  });

  test("may read the repository and no more, unless a job says so, and holds no key", () => {
    expect(read(file)).toMatch(/^permissions:\n {2}contents: read\n\S*$/m);
    expect(read(file)).not.toMatch(/secrets\.|credentials_json/);
  });
});

test.skipIf(!hasJq)("the nightly plans cover every state there is (not run without jq)", async () => {
  const step = /run: \|\n([^]*?)\n\n/.exec(read("drift.yml").split("id: list")[1] ?? "")?.[1] ?? "";
  const scratch = mkdtempSync(join(tmpdir(), "drift-"));
  const output = join(scratch, "output");
  execFileSync("bash", ["-euo", "pipefail", "-c", step], {
    cwd: join(root, "infra"),
    env: { PATH: process.env["PATH"], GITHUB_OUTPUT: output, GITHUB_REPOSITORY: "proveniq/cells" },
  });
  const states: { prefix: string }[] = JSON.parse(readFileSync(output, "utf8").replace("states=", ""));
  rmSync(scratch, { recursive: true });
  const { config, manifests } = await loadFleet(join(root, "infra"));
  const projects = new Set([config.central.project, ...Object.values(manifests).map((m) => m.project)]);
  expect(states.map((s) => s.prefix).toSorted()).toEqual(
    [
      ...Object.keys(manifests).map((id) => `cells/${id}`),
      ...Object.keys(config.defaults).map((r) => `edge/${r}`),
      ...[...projects].map((p) => `projects/${p}`),
      "bootstrap",
      "central",
    ].toSorted(),
  );
});
