import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { LocalConfig } from "../config.ts";

const run = promisify(execFile);

/** The oldest Java that the Firestore emulator of the Google Cloud CLI runs on. */
export const minimumJava = 11;

export interface Java {
  command: string;
  major: number;
}

/** The first executable called `name` on PATH, not resolved. */
export async function findOnPath(name: string, path: readonly string[]): Promise<string | undefined> {
  for (const folder of path) {
    const candidate = join(folder, name);
    try {
      await access(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** The major version in the output of `java -version`: 8 for "1.8.0_402", 17 for "17.0.15". */
export function javaMajor(output: string): number | undefined {
  const found = /version "(?:1\.)?(\d+)/.exec(output)?.[1];
  return found === undefined ? undefined : Number(found);
}

/** Find a Java that can run the emulator, or throw an error that says what to install. */
export async function findJava(config: LocalConfig): Promise<Java> {
  const ofHome = config.javaHome === undefined ? undefined : join(config.javaHome, "bin");
  const command = await findOnPath("java", ofHome === undefined ? config.path : [ofHome, ...config.path]);
  const advice = `Install a Java runtime, version ${minimumJava} or newer (Debian and Ubuntu: apt install default-jre-headless; macOS: brew install openjdk), and have "java" on PATH or set JAVA_HOME.`;
  if (command === undefined)
    throw new Error(`The Firestore emulator needs Java, and none was found. ${advice}`);
  let output: string;
  try {
    const { stdout, stderr } = await run(command, ["-version"]);
    output = stderr + stdout;
  } catch (cause) {
    throw new Error(`${command} does not run. ${advice}`, { cause });
  }
  const major = javaMajor(output);
  if (major === undefined || major < minimumJava) {
    throw new Error(`${command} is Java ${major ?? "of an unknown version"}. ${advice}`);
  }
  return { command, major };
}
