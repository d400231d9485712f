import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

interface Ancestor {
  pid: number;
  command: string;
}

/** This process's parents, nearest first. Empty where `ps` does not tell. */
export async function ancestors(): Promise<Ancestor[]> {
  const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid=,args="], { maxBuffer: 16 * 1024 * 1024 }).catch(
    () => ({ stdout: "" }),
  );
  const table = new Map<number, { ppid: number; command: string }>();
  for (const line of stdout.split("\n")) {
    const [, pid, ppid, command] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    if (pid !== undefined && command !== undefined) table.set(Number(pid), { ppid: Number(ppid), command });
  }
  const found: Ancestor[] = [];
  let at = process.ppid;
  while (at > 1 && found.length < 20) {
    const entry = table.get(at);
    if (entry === undefined) break;
    found.push({ pid: at, command: entry.command });
    at = entry.ppid;
  }
  return found;
}

/**
 * Call `gone` once when one of the processes has ended: they are links of the chain by which somebody started us, and a chain
 * like npm → sh → node passes no signal on when a link is killed.
 */
export function watchLifeline(
  pids: readonly number[],
  gone: (pid: number) => void,
  everyMs = 500,
): () => void {
  const timer = setInterval(() => {
    for (const pid of pids) {
      if (isAlive(pid)) continue;
      clearInterval(timer);
      gone(pid);
      return;
    }
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** True while a process of that id runs; one that has ended and only waits for its parent to notice does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  try {
    // The state follows the command, which is in brackets and may itself contain any.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    // No /proc here.
    return true;
  }
}
