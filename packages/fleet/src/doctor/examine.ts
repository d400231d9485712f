import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, readFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { messageOf } from "@proveniq/contracts";
import { emulatorAdvice, findEmulator, findJava, findOnPath } from "@proveniq/local-cloud/emulator";
import { busyFleetPorts, defaultPortBase, runningState } from "@proveniq/local-cloud/fleet";

const run = promisify(execFile);

/** One thing that was looked at. */
export interface Check {
  name: string;
  /** Without it, `fleet up` cannot work. */
  needed: boolean;
  ok: boolean;
  /** What was found, in a few words. */
  found: string;
  /** How to get it; empty when it is there. */
  advice: string;
}

export interface ExamineOptions {
  root: string;
  stateDir: string;
  path: readonly string[];
  portBase?: number;
}

/** Look at everything, in the order in which it is needed. Changes nothing. */
export async function examine(options: ExamineOptions): Promise<Check[]> {
  const looked = await Promise.all([
    installed(options.root),
    java(),
    emulator(),
    ports(options),
    built(options.root),
    tool(options.path, "git", ["--version"], "to name the commit that runs", "your system's package git"),
    tool(
      options.path,
      "terraform",
      ["version"],
      "to check infra/terraform",
      "https://developer.hashicorp.com/terraform/install",
    ),
    tool(
      options.path,
      "redis-server",
      ["--version"],
      "to test the directory in Redis",
      "your system's package redis-server",
    ),
  ]);
  return [node(), memory(), ...looked];
}

function check(name: string, needed: boolean, ok: boolean, found: string, advice: string): Check {
  return { name, needed, ok, found, advice: ok ? "" : advice };
}

function node(): Check {
  const ok = Number(process.versions.node.split(".")[0]) >= 24;
  return check("Node.js", true, ok, process.version, "Run `npm install`: it brings Node 24 on Linux.");
}

async function installed(root: string): Promise<Check> {
  const lock = await readFile(join(root, "package-lock.json"));
  const stamp = await readFile(join(root, "node_modules", ".installed-lock"), "utf8").catch(() => undefined);
  const wanted = createHash("sha256")
    .update(lock)
    .update(`${process.platform}-${process.arch}`)
    .digest("hex");
  // Only `npm start` and `npm test` leave the stamp; without it, this very program shows that something is installed.
  const found =
    stamp === wanted
      ? "as package-lock.json says"
      : stamp === undefined
        ? "yes, not by npm start"
        : "of another package-lock.json";
  return check(
    "Dependencies",
    false,
    stamp === wanted,
    found,
    "`npm start` and `npm test` install them by themselves.",
  );
}

async function java(): Promise<Check> {
  try {
    const { command, major } = await findJava();
    return check("Java", true, true, `${major} (${command})`, "");
  } catch (error) {
    return check("Java", true, false, "none that fits", messageOf(error));
  }
}

async function emulator(): Promise<Check> {
  try {
    const jar = await findEmulator();
    if (jar !== undefined) return check("Firestore emulator", true, true, `${jar.file} (${jar.source})`, "");
    return check("Firestore emulator", true, false, "none", emulatorAdvice);
  } catch (error) {
    return check("Firestore emulator", true, false, "none", messageOf(error));
  }
}

function memory(): Check {
  const gib = totalmem() / 1024 ** 3;
  const advice = "Each emulator takes 150 to 400 MB: run fewer cells with `fleet up --cells consumer`.";
  return check("Memory", false, gib >= 3, `${gib.toFixed(1)} GiB`, advice);
}

async function ports(options: ExamineOptions): Promise<Check> {
  const running = await runningState(options.stateDir);
  if (running !== undefined) {
    return check("Ports", true, true, `a fleet runs: ${running.router} (process ${running.pid})`, "");
  }
  const portBase = options.portBase ?? defaultPortBase;
  const busy = await busyFleetPorts({ root: options.root, stateDir: options.stateDir, portBase });
  const advice = "Stop what holds them, or use others: `fleet up --port-base 9080`.";
  return check("Ports", true, busy.length === 0, busy.join("; ") || `free (${portBase} and above)`, advice);
}

async function built(root: string): Promise<Check> {
  const wanted = ["apps/cell-api/dist/artefact.json", "apps/router/dist/server.js"];
  const there = await Promise.all(
    wanted.map((file) =>
      access(join(root, file)).then(
        () => true,
        () => false,
      ),
    ),
  );
  const missing = wanted.filter((_, n) => there[n] === false);
  return check(
    "Build",
    false,
    missing.length === 0,
    missing.length === 0 ? "there; fleet up brings it up to date" : `no ${missing.join(", no ")}`,
    "`fleet up` builds by itself, or run `npm run build`.",
  );
}

async function tool(
  path: readonly string[],
  name: string,
  args: string[],
  purpose: string,
  from: string,
): Promise<Check> {
  const advice = `Only needed ${purpose}. Install it from ${from}.`;
  const command = await findOnPath(name, path);
  if (command === undefined) return check(name, false, false, "none", advice);
  const version = await run(command, args).then(
    ({ stdout }) => stdout.split("\n")[0] ?? "",
    () => "does not run",
  );
  return check(name, false, version !== "does not run", version, advice);
}
