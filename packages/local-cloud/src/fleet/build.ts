import { join } from "node:path";
import { finished } from "node:stream/promises";
import { spawnGuarded } from "../process/guarded.ts";

/**
 * Build what changed since the last build (nothing, mostly: turbo keeps results by content). Throws with the
 * build's own output when it fails.
 */
export async function buildAll(root: string, env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawnGuarded(
    join(root, "node_modules", ".bin", "turbo"),
    ["run", "build", "--output-logs=errors-only", "--no-color"],
    {
      cwd: root,
      env: {
        ...env,
        TURBO_TELEMETRY_DISABLED: "1",
        TURBO_NO_UPDATE_NOTIFIER: "1",
        DO_NOT_TRACK: "1",
      },
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [{ code, signal }] = await Promise.all([
    child.exited,
    finished(child.stdout),
    finished(child.stderr),
  ]);
  if (code !== 0) {
    throw new Error(`The build failed (${signal ?? `exit code ${code}`}):\n${output.trim()}`);
  }
}
