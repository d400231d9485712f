import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";

/** A port that nobody listens on, below the range from which systems take ports for connections. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const probe = createServer();
    const free = new Promise<boolean>((resolve) => {
      probe.once("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!(await free)) continue;
    probe.close();
    await once(probe, "close");
    return port;
  }
  throw new Error("no free port was found");
}

/** Milliseconds of processor time, user and system, of all threads; in steps of 10 ms (Linux only). */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The second field is the program's name in brackets and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export interface Started {
  pid: number;
  child: ChildProcess;
  /** Asks the process to end and waits until it has. */
  stop(): Promise<void>;
}

/** Start Node 24, the one that runs this, on a file. What it prints on standard error is passed on. */
export function startNode(file: string, env: Record<string, string>, args: readonly string[] = []): Started {
  const child = spawn(process.execPath, [file, ...args], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (child.pid === undefined) throw new Error(`${file} could not be started`);
  const ended = once(child, "exit");
  return {
    pid: child.pid,
    child,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
