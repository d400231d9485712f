// Ask the registry for known vulnerabilities of what the lock names. Exit 1 for a high or critical one, or when CI_AUDIT=required
// and nobody answers. A registry that does not offer audits is said so: then nothing was checked.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const severities = ["critical", "high", "moderate", "low", "info"];

/** From the output of `npm audit --json`: whether it was answered, how many of each severity, and the worst by name. */
export function readAudit(text) {
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    return { answered: false, counts: {}, grave: [] };
  }
  const counts = json?.metadata?.vulnerabilities;
  if (counts === undefined) return { answered: false, counts: {}, grave: [] };
  const grave = Object.values(json.vulnerabilities ?? {})
    .filter((v) => v.severity === "critical" || v.severity === "high")
    .map((v) => `${v.name} ${v.range} (${v.severity})`);
  return { answered: true, counts, grave };
}

function main() {
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const { stdout } = spawnSync("npm", ["audit", "--json"], { cwd, encoding: "utf8", timeout: 120_000 });
  const { answered, counts, grave } = readAudit(stdout ?? "");
  if (!answered) {
    console.log("Dependencies were NOT audited: the registry does not answer `npm audit`.");
    return process.env.CI_AUDIT === "required" ? 1 : 0;
  }
  const told = severities.filter((s) => counts[s] > 0).map((s) => `${counts[s]} ${s}`);
  console.log(`Dependencies audited: ${told.join(", ") || "no known vulnerability"}.`);
  for (const line of grave) console.log(`  ${line}`);
  return grave.length > 0 ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main();
