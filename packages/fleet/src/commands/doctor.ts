import type { Command } from "commander";
import { exitCodes } from "../cli/errors.ts";
import { command, portBaseOption, shapes } from "../cli/options.ts";
import { root } from "../cli/paths.ts";
import { ofThisMachine, type Where } from "../cli/where.ts";
import { readCliConfig } from "../config.ts";
import { examine } from "../doctor/examine.ts";
import { palette } from "../output/colour.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";

interface DoctorOptions {
  json?: boolean;
  portBase?: number;
}

/** `fleet doctor`: what is there, what is missing, how to get it. */
export function doctorCommand(output: Output, where: Where): Command {
  return ofThisMachine(
    command("doctor", "is everything there that a local fleet needs? Says how to get what is missing", [
      "fleet doctor",
      "fleet doctor --json | jq '.checks[] | select(.ok | not)'",
    ]),
  )
    .addHelpText("after", shapes('{"ok", "checks": [{name, needed, ok, found, advice}]}'))
    .addHelpText("after", "\nExit code 1 when `fleet up` could not work.")
    .addOption(portBaseOption())
    .action(async (options: DoctorOptions) => {
      const config = readCliConfig();
      const paint = palette(config.colour);
      const checks = await examine({
        root,
        stateDir: where.stateDir,
        path: config.path,
        ...(options.portBase === undefined ? {} : { portBase: options.portBase }),
      });
      const ok = checks.every((check) => check.ok || !check.needed);
      report(output, options.json, { ok, checks }, () => {
        const rows = checks.map((check) => [
          check.ok ? "ok" : check.needed ? "MISSING" : "missing",
          check.name,
          check.found,
        ]);
        const missing = checks.filter((check) => !check.ok);
        return [
          table(rows),
          ...missing.map((check) => `\n${paint.bold(check.name)}: ${check.advice}`),
          "",
          ok ? paint.green("The fleet can run here: npm start") : paint.red("The fleet cannot run here yet."),
        ].join("\n");
      });
      process.exitCode = ok ? exitCodes.done : exitCodes.failed;
    });
}
