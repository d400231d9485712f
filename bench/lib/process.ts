import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { type GuardedChild, spawnGuarded } from "@proveniq/local-cloud/process";

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

export interface NodeOptions {
  args?: readonly string[];
  /** Processor core that it is kept on. */
  core?: number | undefined;
}

/**
 * Start Node 24, the one that runs this, on a file. It dies with this process. What it prints on standard error is
 * passed on; standard output is the caller's, or dropped.
 */
export function startNode(
  file: string,
  env: Record<string, string>,
  options: NodeOptions = {},
): GuardedChild {
  const { core, args = [] } = options;
  const command = [process.execPath, file, ...args];
  const [program = "", ...rest] = core === undefined ? command : ["taskset", "-c", String(core), ...command];
  const child = spawnGuarded(program, rest, { env: { PATH: process.env["PATH"], ...env } });
  child.stderr.pipe(process.stderr, { end: false });
  child.stdout.resume();
  return child;
}
