import { setTimeout as sleep } from "node:timers/promises";
import { type FleetFacts, judge } from "@proveniq/control-plane/status";
import type { Command } from "commander";
import { exitCodes } from "../cli/errors.ts";
import { command, shapes } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { readCliConfig } from "../config.ts";
import { palette } from "../output/colour.ts";
import { type Output, report } from "../output/print.ts";
import { statusText } from "../output/status.ts";

/** Between two looks of --watch, in milliseconds. */
const everyMs = 3_000;

/** `fleet status`: what is wrong, where to read and what to type; then how each cell is. */
export function statusCommand(output: Output, where: Where): Command {
  return command("status", "what is wrong, what to read and what to type next; exit code 1 when ill", [
    "fleet status",
    "fleet status --watch",
    "fleet status --json | jq '.findings[] | .where, .what, .next'",
    "fleet status --env production",
  ])
    .addHelpText(
      "after",
      "\nEach part is asked by itself, with a time limit of its own: one that is dead hides no other." +
        "\nThe cloud is asked with your own credentials; its sinks have no address, and Edge Config is not read.",
    )
    .addHelpText(
      "after",
      shapes(
        '{"ok", "findings": [{where, level: ill|note, what, runbook, next}], "facts": {at, cells, router, …}}',
      ),
    )
    .option("--watch", `look again every ${everyMs / 1_000} s, until Ctrl-C`)
    .action(async (options: { json?: boolean; watch?: boolean }) => {
      const paint = palette(readCliConfig().colour);
      for (;;) {
        const { facts, suffix } = await look(where);
        const findings = judge(facts, suffix);
        const ok = findings.every((f) => f.level !== "ill");
        report(output, options.json, { ok, findings, facts }, () => statusText(facts, findings, paint));
        process.exitCode = ok ? exitCodes.done : exitCodes.failed;
        if (options.watch !== true) {
          // Calls to a dead database are retried for long, and nobody waits for them.
          setImmediate(() => process.exit());
          return;
        }
        await sleep(everyMs);
        output.out("");
      }
    });
}

/** Nobody waits until what was asked is closed: a dead database keeps its client for seconds. */
function look(where: Where) {
  return new Promise<{ facts: FleetFacts; suffix: string }>((resolve, reject) => {
    where
      .look(async (environment) => resolve({ facts: await environment.facts(), suffix: environment.suffix }))
      .catch(reject);
  });
}
