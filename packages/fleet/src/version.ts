import { execFileSync } from "node:child_process";
import manifest from "../../../package.json" with { type: "json" };
import { root } from "./cli/paths.ts";

/** The version of the repository, and the commit that is checked out. */
export function version(): string {
  try {
    const commit = execFileSync("git", ["rev-parse", "--short=12", "HEAD"], {
      cwd: root,
      encoding: "utf8",
      stdio: "pipe",
    });
    return `fleet ${manifest.version}, commit ${commit.trim()}`;
  } catch {
    return `fleet ${manifest.version}`;
  }
}
