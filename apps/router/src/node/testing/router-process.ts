import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** A line of the router's log, as far as tests look at it. */
export interface LogLine {
  message?: string;
  port?: number;
  status?: number;
  reason?: string;
  limit?: number;
  cut?: number;
}

export interface RouterProcess {
  port: number;
  lines: LogLine[];
  /** Ask it to end; resolves with its exit code. */
  stop(): Promise<number | null>;
}

/**
 * Start the router as a process of its own with this environment, on a free port of 127.0.0.1. `descriptors`: how many files and
 * sockets it may have open.
 */
export async function startRouterProcess(
  env: Record<string, string>,
  path: string | undefined,
  descriptors?: number,
): Promise<RouterProcess> {
  const [command, args] =
    descriptors === undefined
      ? [process.execPath, [main]]
      : ["sh", ["-c", `ulimit -n ${descriptors} && exec "$0" "$1"`, process.execPath, main]];
  const child: ChildProcess = spawn(command, args, {
    env: {
      PATH: path,
      PORT: "0",
      HOST: "127.0.0.1",
      PROVENIQ_ENV: "development",
      FLEET_ZONE: "proveniq.io",
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { stdout } = child;
  if (stdout === null) throw new Error("no output");
  const lines: LogLine[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    child.once("exit", (code) => reject(new Error(`the router ended with ${code}`)));
    createInterface({ input: stdout }).on("line", (line) => {
      const event: LogLine = JSON.parse(line);
      lines.push(event);
      if (event.message === "listening") resolve(event.port ?? 0);
    });
  });
  return {
    port,
    lines,
    stop: async () => {
      if (child.exitCode !== null) return child.exitCode;
      child.kill("SIGTERM");
      const [code] = await once(child, "exit");
      return code;
    },
  };
}
