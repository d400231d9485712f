import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The commit that is checked out, and whether the tree holds more than it; `unknown` where there is no git. */
export async function commitOf(root: string): Promise<{ commit: string; modified: boolean }> {
  try {
    const { stdout: commit } = await run("git", ["rev-parse", "HEAD"], { cwd: root });
    const { stdout: changes } = await run("git", ["status", "--porcelain", "--untracked-files=no"], {
      cwd: root,
    });
    return { commit: commit.trim(), modified: changes.trim() !== "" };
  } catch {
    return { commit: "unknown", modified: true };
  }
}
