// `npm run terraform-locks`: writes the lock file of every root of infra/terraform, for the machines that apply and those that people
// use. It asks Terraform's registry. `--check` writes nothing: it fails when one is missing, or is not what the registry has.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const platforms = ["linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64"];
const infra = fileURLToPath(new URL("../infra", import.meta.url));
const check = process.argv.includes("--check");
const lock = ".terraform.lock.hcl";
const roots = readdirSync(join(infra, "terraform/roots"));
const faults: string[] = [];

// From the registry alone: a provider of one's own has none of the release's checksums.
const { TF_CLI_CONFIG_FILE: _file, TF_REATTACH_PROVIDERS: _own, ...env } = process.env;

const folder = mkdtempSync(join(tmpdir(), "locks-"));
try {
  cpSync(infra, join(folder, "infra"), { recursive: true, filter: (path) => !path.includes("node_modules") });
  for (const root of roots) {
    const here = join(infra, "terraform/roots", root);
    const copy = join(folder, "infra/terraform/roots", root);
    if (check && !existsSync(join(here, lock))) {
      faults.push(`infra/terraform/roots/${root}/${lock} is missing`);
      continue;
    }
    execFileSync("terraform", ["providers", "lock", ...platforms.map((p) => `-platform=${p}`)], {
      cwd: copy,
      env,
      stdio: "inherit",
    });
    if (!check) cpSync(join(copy, lock), join(here, lock));
    else if (readFileSync(join(copy, lock), "utf8") !== readFileSync(join(here, lock), "utf8"))
      faults.push(`infra/terraform/roots/${root}/${lock} is not what the registry has`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (faults.length > 0) {
  console.error(`${faults.join("\n")}\nnpm run terraform-locks writes them.`);
  process.exitCode = 1;
}
