import { readdir, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "./lifeline.ts";

/** Every process of a fleet carries this in its environment: the folder of the fleet's state, by which it is known again. */
const variable = "PROVENIQ_FLEET_STATE";
const graceMs = 5_000;

export const markOf = (stateDir: string): Record<string, string> => ({ [variable]: resolve(stateDir) });

/** Processes that a fleet of this folder started, whoever is their parent now. Empty where there is no /proc. */
export async function marked(stateDir: string): Promise<number[]> {
  const wanted = `${variable}=${resolve(stateDir)}`;
  const found = await Promise.all(
    (await readdir("/proc").catch(() => []))
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        // Others' processes cannot be read, and are not ours.
        const environment = await readFile(`/proc/${name}/environ`, "utf8").catch(() => "");
        return environment.split("\0").includes(wanted) && isAlive(Number(name)) ? [Number(name)] : [];
      }),
  );
  return found.flat();
}

/** End what a fleet of this folder left behind when it and its watchdog were killed; the processes that it was. */
export async function endOrphans(stateDir: string): Promise<number[]> {
  const orphans = await marked(stateDir);
  for (const [signal, until] of [
    ["SIGTERM", Date.now() + graceMs],
    ["SIGKILL", Date.now() + 2 * graceMs],
  ] as const) {
    const left = orphans.filter(isAlive);
    for (const pid of left) {
      try {
        process.kill(pid, signal);
        // One that was stopped hears of it only when it goes on.
        process.kill(pid, "SIGCONT");
      } catch {
        // It has ended.
      }
    }
    while (left.some(isAlive) && Date.now() < until) await sleep(50);
  }
  return orphans;
}
