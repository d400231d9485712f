import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readLocalConfig } from "../config.ts";
import { type ChildExit, spawnGuarded } from "../process/guarded.ts";
import { LogFile } from "../process/log-file.ts";
import { obtainEmulatorJar } from "./download.ts";
import { type EmulatorJar, findEmulatorJar } from "./jar.ts";
import { type Java, findJava as javaOf } from "./java.ts";

export { emulatorAdvice } from "./download.ts";
export { findOnPath, minimumJava } from "./java.ts";

/** The emulator of this machine and how it was found; `undefined` when there is none. Downloads nothing. */
export function findEmulator(): Promise<EmulatorJar | undefined> {
  return findEmulatorJar(readLocalConfig());
}

/** The Java of this machine, or an error that says what to install. */
export function findJava(): Promise<Java> {
  return javaOf(readLocalConfig());
}

const mainClass = "com.google.cloud.datastore.emulator.firestore.CloudFirestore";
const readyWithinMs = 60_000;

export interface EmulatorOptions {
  port: number;
  /** Address to listen on; 127.0.0.1 unless told otherwise. */
  host?: string;
  /** Serve this project only and refuse calls for any other. Without it the emulator takes every project. */
  projectId?: string;
  /** Gets all that the emulator prints. */
  logFile?: string;
  /** Beside what this process inherited. */
  env?: Readonly<Record<string, string>>;
  /** Java heap in MiB. One document takes about 19 KB; Java's own default is a quarter of the machine's memory. */
  heapMb?: number;
}

export interface Emulator {
  /** `address:port`, as FIRESTORE_EMULATOR_HOST wants it. */
  host: string;
  pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  exited: Promise<ChildExit>;
  /** Resolves when the process has ended. Its data is gone then: it is in memory only. */
  stop(): Promise<void>;
  /** SIGKILL, for tests of what happens when a database dies. */
  kill(): void;
}

/**
 * Start a Firestore emulator and wait until it answers (about a second). It dies with this process, even when that is killed
 * with -9. Throws an error for people when Java or the emulator are missing, the port is taken, or it does not start.
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const config = readLocalConfig();
  const [java, jar] = await Promise.all([javaOf(config), obtainEmulatorJar(config)]);
  const address = options.host ?? "127.0.0.1";
  const child = spawnGuarded(
    java.command,
    [
      // The class data archive and the simple collector make it start in half the time. Java's second compiler takes as much
      // processor time as all the work of the first 200,000 documents: few emulators live long enough to earn that.
      "-Xshare:auto",
      "-XX:+UseSerialGC",
      "-XX:TieredStopAtLevel=1",
      ...(options.heapMb === undefined ? [] : [`-Xmx${options.heapMb}m`]),
      "-Duser.language=en",
      "-cp",
      jar.file,
      mainClass,
      "--host",
      address,
      "--port",
      String(options.port),
      ...(options.projectId === undefined
        ? []
        : ["--project_id", options.projectId, "--single_project_mode", "--single_project_mode_error"]),
    ],
    { env: { ...config.inherited, ...options.env } },
  );

  let tail = "";
  const log = options.logFile === undefined ? undefined : await openLog(options.logFile);
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      tail = (tail + chunk.toString()).slice(-2_000);
      log?.write(chunk.toString());
    });
  }
  let ended: ChildExit | undefined;
  void child.exited.then((exit) => {
    ended = exit;
    void log?.end();
  });

  const host = `${address}:${options.port}`;
  const deadline = Date.now() + readyWithinMs;
  // Ours only when it says so itself: another program may already answer on that port.
  while (!(tail.includes("is now running") && (await answers(host)))) {
    if (ended !== undefined)
      throw new Error(`The Firestore emulator on ${host} did not start:\n${tail.trim()}`);
    if (Date.now() > deadline) {
      await child.stop(0);
      throw new Error(
        `The Firestore emulator on ${host} did not answer within ${readyWithinMs / 1000} s:\n${tail.trim()}`,
      );
    }
    await sleep(25);
  }
  return {
    host,
    pid: child.pid,
    exited: child.exited,
    async stop() {
      await child.stop(2_000);
    },
    kill: () => child.kill("SIGKILL"),
  };
}

async function openLog(file: string) {
  await mkdir(dirname(file), { recursive: true });
  return new LogFile(file);
}

async function answers(host: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${host}/`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
