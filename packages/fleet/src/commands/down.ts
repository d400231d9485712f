import { setTimeout as sleep } from "node:timers/promises";
import { endOrphans, runningState } from "@proveniq/local-cloud/fleet";
import type { Command } from "commander";
import { CommandError } from "../cli/errors.ts";
import { command, shapes } from "../cli/options.ts";
import { ofThisMachine, type Where } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";

/** Its data is saved first. */
const withinMs = 60_000;

/** `fleet down`: stop the fleet that runs from this folder. */
export function downCommand(output: Output, where: Where): Command {
  return ofThisMachine(command("down", "stop the fleet that runs here, in order", ["fleet down"]))
    .addHelpText(
      "after",
      shapes(
        '{"stopped": true, "pid"}, or {"stopped": false} when none ran; {"stopped": true, "orphans": [pid]} for what a killed one left',
      ),
    )
    .action(async (options: { json?: boolean }) => {
      const { stateDir } = where;
      const state = await runningState(stateDir);
      if (state === undefined) {
        const orphans = await endOrphans(stateDir);
        const stopped = orphans.length > 0;
        report(output, options.json, stopped ? { stopped, orphans } : { stopped }, () =>
          stopped
            ? `No fleet runs here; ended ${orphans.length} processes that a killed one had left behind.`
            : "No fleet runs here.",
        );
        return;
      }
      process.kill(state.pid, "SIGTERM");
      const deadline = Date.now() + withinMs;
      while ((await runningState(stateDir)) !== undefined) {
        if (Date.now() > deadline) {
          throw new CommandError(
            `Process ${state.pid} did not stop within ${withinMs / 1000} s: kill -9 ${state.pid}`,
          );
        }
        await sleep(100);
      }
      report(
        output,
        options.json,
        { stopped: true, pid: state.pid },
        () => `Stopped the fleet at ${state.router}.`,
      );
    });
}
