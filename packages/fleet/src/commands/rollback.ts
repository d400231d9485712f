import { deployCell, rollbackTo } from "@proveniq/control-plane/deploy";
import type { Command } from "commander";
import { confirmOption } from "../cli/confirm.ts";
import {
  bakeOf,
  confirmed,
  knownCell,
  type TargetOptions,
  targetOption,
  untilInterrupted,
  withTarget,
} from "../cli/deploys.ts";
import { exitCodes } from "../cli/errors.ts";
import { command, jsonOption, shapes, stateDirOption } from "../cli/options.ts";
import { eventLine } from "../output/deploys.ts";
import { type Output, report } from "../output/print.ts";

interface RollbackOptions extends TargetOptions {
  json?: boolean;
}

/** `fleet rollback CELL`: what the cell ran before. */
export function rollbackCommand(output: Output): Command {
  return command("rollback", "put back what a cell ran before its last deploy", [
    "fleet rollback eu",
    "fleet rollback eu --target cloud --confirm eu",
  ])
    .argument("<cell>", "the cell's id")
    .addOption(targetOption())
    .addOption(confirmOption())
    .addHelpText(
      "after",
      "\nWhile a deploy is in doubt, because its process died, that is what the cell ran before it; a second rollback goes" +
        "\nforward again. The former version is tried through the edge, and not watched for long: it is known.",
    )
    .addHelpText("after", shapes('{"id", "cell", "outcome", "reason", "serving": {digest, commit}}'))
    .addOption(jsonOption())
    .addOption(stateDirOption())
    .action(async (cell: string, options: RollbackOptions) => {
      const interrupted = untilInterrupted((text) => output.err(text));
      const end = await withTarget(options, async ({ target, book, manifests, origin }) => {
        knownCell(manifests, cell);
        await confirmed(options, cell, target.name);
        const artefact = await rollbackTo(book, cell);
        output.err(`Putting ${artefact.digest.slice(0, 12)} back into ${cell} in ${target.name}`);
        return deployCell({
          target,
          book,
          cell,
          artefact,
          bake: bakeOf({ bake: 0 }, options.target),
          origin,
          report: (event) => output.err(eventLine(event)),
          signal: interrupted.signal,
        });
      }).finally(() => interrupted.done());
      report(output, options.json, end, () =>
        end.outcome === "done"
          ? `Cell ${cell} runs ${end.serving?.digest ?? ""} again.`
          : `Cell ${cell}: ${end.outcome}. ${end.reason ?? ""}`,
      );
      process.exitCode = end.outcome === "done" ? exitCodes.done : exitCodes.failed;
    });
}
