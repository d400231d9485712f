import { examineSteps, looksOf, stepsOf } from "@proveniq/control-plane/cloud";
import type { Command } from "commander";
import { type CloudOptions, openCloud } from "../cli/cloud.ts";
import { exitCodes } from "../cli/errors.ts";
import { command, portBaseOption, shapes } from "../cli/options.ts";
import { root } from "../cli/paths.ts";
import type { Where } from "../cli/where.ts";
import { readCliConfig } from "../config.ts";
import { examine } from "../doctor/examine.ts";
import { palette } from "../output/colour.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";

interface DoctorOptions extends CloudOptions {
  json?: boolean;
  portBase?: number;
}

/** `fleet doctor`: what is there, what is missing, how to get it. */
export function doctorCommand(output: Output, where: Where): Command {
  return command(
    "doctor",
    "is everything there that a fleet needs, here or in a cloud? Says how to get what is missing",
    [
      "fleet doctor",
      "fleet doctor --env production",
      "fleet doctor --json | jq '.checks[] | select(.ok | not)'",
    ],
  )
    .addHelpText("after", shapes('{"ok", "checks": [{name, needed, ok, found, advice}]}'))
    .addHelpText(
      "after",
      "\nExit code 1 when `fleet up` could not work, or something of a cloud is not done.",
    )
    .addOption(portBaseOption())
    .option("--artefact <folder>", "of a cloud: what `fleet pack` made")
    .option("--images <folder>", "of a cloud: what `npm run images` made")
    .action(async (options: DoctorOptions) => {
      const config = readCliConfig();
      const paint = palette(config.colour);
      if (where.name !== "local") {
        await examineCloud(output, where, options);
        return;
      }
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

/** The steps that make a cloud, at a glance, and what they need: each that is not done with what mends it. */
async function examineCloud(output: Output, where: Where, options: DoctorOptions): Promise<void> {
  const paint = palette(readCliConfig().colour);
  const cloud = await openCloud(where, options);
  const looked = await examineSteps([looksOf(cloud), ...stepsOf(cloud)]);
  const checks = looked.map((each) => ({ ...each, needed: true }));
  const ok = checks.every((check) => check.ok);
  report(output, options.json, { ok, checks }, () =>
    [
      table(checks.map(({ ok: isOk, name, found }) => [isOk ? "ok" : "MISSING", name, found.slice(0, 120)])),
      ...checks.filter((c) => !c.ok).map(({ name, advice }) => `\n${paint.bold(name)}: ${advice}`),
    ].join("\n"),
  );
  process.exitCode = ok ? exitCodes.done : exitCodes.failed;
}
