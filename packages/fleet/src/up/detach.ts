import { spawn } from "node:child_process";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type FleetState, runningState } from "@proveniq/local-cloud/fleet";
import { CommandError } from "../cli/errors.ts";
import { root } from "../cli/paths.ts";
import { detachedEnvironment } from "../config.ts";

const withinMs = 180_000;

/** Run this very command line in the background and wait until its fleet is ready. */
export async function detach(stateDir: string): Promise<FleetState> {
  await mkdir(stateDir, { recursive: true });
  const logFile = join(stateDir, "up.log");
  const log = await open(logFile, "w");
  const args = process.argv.slice(2).filter((arg) => arg !== "--detach" && arg !== "--json");
  const child = spawn(process.execPath, [join(root, "packages", "fleet", "bin", "fleet.mjs"), ...args], {
    cwd: root,
    env: detachedEnvironment(),
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  await log.close();
  let ended = false;
  child.on("exit", () => {
    ended = true;
  });
  const deadline = Date.now() + withinMs;
  for (;;) {
    if (ended) throw new CommandError((await readFile(logFile, "utf8")).trim());
    if (Date.now() > deadline) {
      child.kill("SIGTERM");
      throw new CommandError(`The fleet was not ready within ${withinMs / 1000} s; see ${logFile}`);
    }
    const state = await runningState(stateDir);
    if (state?.pid === child.pid && state?.phase === "ready") {
      child.unref();
      return state;
    }
    await sleep(100);
  }
}
