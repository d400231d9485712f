import { join } from "node:path";
import { finished } from "node:stream/promises";
import { readLocalConfig } from "../config.ts";
import { spawnGuarded } from "../process/guarded.ts";

const endWithinMs = 1_000;

/**
 * Build what changed since the last build (nothing, mostly: turbo keeps results by content). Throws with the
 * build's own output when it fails. An abort of `signal` ends the build and all that it started at once, and throws.
 */
export async function buildAll(
  root: string,
  env: NodeJS.ProcessEnv = readLocalConfig().inherited,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
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
  // SIGTERM first: turbo's tasks are in process groups of their own, and only turbo can end them.
  const end = () => void child.stop(endWithinMs);
  signal?.addEventListener("abort", end, { once: true });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [{ code, signal: killed }] = await Promise.all([
    child.exited,
    finished(child.stdout),
    finished(child.stderr),
  ]);
  signal?.removeEventListener("abort", end);
  signal?.throwIfAborted();
  if (code !== 0) {
    throw new Error(`The build failed (${killed ?? `exit code ${code}`}):\n${output.trim()}`);
  }
}
