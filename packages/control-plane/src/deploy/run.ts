import { spawn } from "node:child_process";
import { RefusedError } from "../refused.ts";
import type { CommandRunner } from "./cloud.ts";

/** The end of a failed command's words is where it says why. */
const shownLines = 15;

/**
 * Runs commands in a folder with this environment. Their words are shown when they fail, and never before: they may hold what
 * no log should. Rejects with `RefusedError` for a program that is not there, and for one that fails.
 */
export function runIn(folder: string, environment: NodeJS.ProcessEnv): CommandRunner {
  return ({ program, args, env = {} }, signal) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        cwd: folder,
        env: { ...environment, ...env },
        stdio: ["ignore", "pipe", "pipe"],
        ...(signal === undefined ? {} : { signal }),
      });
      const said = { out: "", err: "" };
      child.stdout.on("data", (chunk: Buffer) => {
        said.out += chunk.toString();
      });
      child.stderr.on("data", (chunk: Buffer) => {
        said.err += chunk.toString();
      });
      child.on("error", (error: NodeJS.ErrnoException) =>
        reject(
          error.code === "ENOENT"
            ? new RefusedError(`${program} is not installed, or not in the PATH`)
            : error,
        ),
      );
      child.on("close", (code, killed) => {
        if (code === 0) return resolve(said.out);
        const words = (said.err.trim() === "" ? said.out : said.err).trim().split("\n");
        const what = [program, args.find((arg) => !arg.startsWith("-")) ?? ""].join(" ");
        return reject(
          new RefusedError(
            `${what} failed (${killed ?? `exit code ${code}`}):\n${words.slice(-shownLines).join("\n")}`,
          ),
        );
      });
    });
}
