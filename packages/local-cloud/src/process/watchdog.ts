/**
 * A process of its own that outlives its parent for a moment: the parent tells it on stdin which process groups it started
 * (`+<pid>`) and which have ended (`-<pid>`). When stdin closes, however the parent ended, what is left is stopped.
 */
import { createInterface } from "node:readline";

const graceMs = 1_500;
const groups = new Set<number>();

function signal(name: NodeJS.Signals): void {
  for (const group of groups) {
    try {
      process.kill(-group, name);
    } catch {
      groups.delete(group);
    }
  }
}

// Ctrl-C reaches the whole terminal; the parent decides what happens then, and its end is what counts here.
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => undefined);

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const pid = Number(line.slice(1));
  if (!Number.isSafeInteger(pid) || pid < 2) return;
  if (line.startsWith("+")) groups.add(pid);
  else groups.delete(pid);
});
lines.on("close", () => {
  signal("SIGTERM");
  setTimeout(() => {
    signal("SIGKILL");
    process.exit(0);
  }, graceMs);
  // Leave early when all have gone by themselves.
  setInterval(() => {
    for (const group of groups) {
      try {
        process.kill(-group, 0);
      } catch {
        groups.delete(group);
      }
    }
    if (groups.size === 0) process.exit(0);
  }, 50);
});
