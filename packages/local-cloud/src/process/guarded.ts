import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** A child that cannot outlive this process by more than about two seconds, even when this process is killed with -9. */
export interface GuardedChild {
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves once, when the child has ended. */
  readonly exited: Promise<ChildExit>;
  /** Signal the child and all that it started. Harmless when it has ended. */
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when it has ended. */
  stop(graceMs?: number): Promise<ChildExit>;
}

export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface GuardedOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

let watchdog: ChildProcess | undefined;
const alive = new Set<number>();

/** One watchdog for all children of this process, started with the first and again should it ever die. */
function tellWatchdog(line: string): void {
  if (watchdog === undefined || watchdog.exitCode !== null || watchdog.signalCode !== null) {
    const script = fileURLToPath(new URL("./watchdog.ts", import.meta.url));
    watchdog = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", script], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    watchdog.on("error", () => undefined);
    // Somebody ended it: while there are children there is another.
    watchdog.once("exit", () => {
      if (alive.size > 0) tellWatchdog("");
    });
    watchdog.stdin?.on("error", () => undefined);
    watchdog.unref();
    // A pipe's handle can be unreferenced, which the type of stdin does not know.
    (watchdog.stdin as unknown as { unref?: () => void } | null)?.unref?.();
    for (const pid of alive) watchdog.stdin?.write(`+${pid}\n`);
  }
  if (line !== "") watchdog.stdin?.write(line);
}

/**
 * Start a command in a process group of its own, under the watchdog. Output must be consumed by the caller.
 *
 * The command waits behind a gate until the watchdog knows its pid, so that no moment exists in which killing this process
 * would leave it behind; the gate's end is also the end of this process, and then the command never starts.
 */
export function spawnGuarded(command: string, args: string[], options: GuardedOptions = {}): GuardedChild {
  const child = spawn("/bin/sh", ["-c", 'read -r go <&3 || exit 0; exec "$@" 3<&-', "sh", command, ...args], {
    ...options,
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  // Told below, where the missing pid shows it.
  child.on("error", () => undefined);
  const { pid, stdout, stderr } = child;
  const gate = child.stdio[3] as Writable | null | undefined;
  if (pid === undefined || stdout === null || stderr === null || gate === null || gate === undefined) {
    throw new Error(`Could not start ${command}: no process could be made (${options.cwd ?? "."})`);
  }
  const exited = new Promise<ChildExit>((resolve) => {
    child.once("exit", (code, signal) => {
      alive.delete(pid);
      tellWatchdog(`-${pid}\n`);
      resolve({ code, signal });
    });
  });
  alive.add(pid);
  tellWatchdog(`+${pid}\n`);
  gate.on("error", () => undefined);
  gate.end("go\n");

  const kill = (signal: NodeJS.Signals) => {
    try {
      process.kill(-pid, signal);
    } catch {
      // It has ended already.
    }
  };
  return {
    pid,
    stdout,
    stderr,
    exited,
    kill,
    async stop(graceMs = 5_000) {
      kill("SIGTERM");
      const timer = setTimeout(kill, graceMs, "SIGKILL");
      const exit = await exited;
      clearTimeout(timer);
      return exit;
    },
  };
}
