import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { readCliConfig } from "../config.ts";
import { CommandError, exitCodes } from "./errors.ts";

const run = promisify(execFile);

/**
 * A cell's id, when turbo runs this and was told by its --filter to run it for that cell alone; undefined without turbo. Throws
 * `CommandError` when turbo runs it for all that it finds: cells are deployed one after the other, and turbo would do it at once.
 */
export async function namedByTurbo(cell: string): Promise<string | undefined> {
  if (!readCliConfig().underTurbo) return undefined;
  if (isNamed(cell, await commandLinesAbove())) return cell;
  throw new CommandError(
    `turbo deploys one cell, named by --filter=@proveniq/cell-${cell}. All of them, one after the other: npx fleet deploy --waves`,
    exitCodes.usage,
  );
}

/** Whether one of these command lines is turbo's and names the cell's own package. Pure. */
export function isNamed(cell: string, lines: readonly string[]): boolean {
  const named = new RegExp(`(^|\\s)(--filter|-F)[=\\s]\\s*["']?@proveniq/cell-${cell}["']?(\\s|$)`);
  return lines.some((line) => /\bturbo\b/.test(line) && named.test(line));
}

/** Of the processes that led to this one, the nearest first: turbo tells its tasks nothing of how it was called. */
async function commandLinesAbove(): Promise<string[]> {
  const lines: string[] = [];
  for (let pid = process.ppid; pid > 1 && lines.length < 20; ) {
    const { stdout } = await run("ps", ["-o", "ppid=,args=", "-ww", "-p", String(pid)]).catch(() => ({
      stdout: "",
    }));
    const [, parent, line] = /^\s*(\d+)\s+(.*)$/s.exec(stdout.trim()) ?? [];
    if (parent === undefined || line === undefined) break;
    lines.push(line);
    pid = Number(parent);
  }
  return lines;
}
