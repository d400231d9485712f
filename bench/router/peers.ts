import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Peers are part of the measurement: without one of them there is nothing to say: exits 2, naming it. */
export function requirePeers(): void {
  const missing = ["nginx", "haproxy", "wrk"].filter((name) => {
    try {
      execFileSync("sh", ["-c", `command -v ${name}`], { stdio: "ignore" });
      return false;
    } catch {
      return true;
    }
  });
  const peers = existsSync(join(root, "bench/peers/node_modules"));
  if (missing.length > 0)
    console.error(
      `Not installed: ${missing.join(", ")}. On Debian: apt-get install --no-install-recommends ${missing.join(" ")}`,
    );
  if (!peers) console.error("Not installed: the JavaScript proxies. Run: npm ci --prefix bench/peers");
  if (missing.length > 0 || !peers) process.exit(2);
}
