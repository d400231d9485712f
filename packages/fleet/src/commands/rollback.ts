import { knownCell } from "@proveniq/control-plane";
import { deployCell, rollbackTo } from "@proveniq/control-plane/deploy";
import type { Command } from "commander";
import { bakeOf, untilInterrupted } from "../cli/deploys.ts";
import { exitCodes } from "../cli/errors.ts";
import { command, shapes } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { eventLine } from "../output/deploys.ts";
import { type Output, report } from "../output/print.ts";

interface RollbackOptions {
  json?: boolean;
}

/** `fleet rollback CELL`: what the cell ran before. */
export function rollbackCommand(output: Output, where: Where): Command {
  return command("rollback", "put back what a cell ran before its last deploy", [
    "fleet rollback eu",
    "fleet rollback eu --env production --confirm eu",
  ])
    .argument("<cell>", "the cell's id")
    .addHelpText(
      "after",
      "\nWhile a deploy is in doubt, because its process died, that is what the cell ran before it; a second rollback goes" +
        "\nfurther back, or says that there is nothing older. The former version is tried through the edge, and not watched for long: it is known.",
    )
    .addHelpText("after", shapes('{"id", "cell", "outcome", "reason", "serving": {digest, commit}}'))
    .action(async (cell: string, options: RollbackOptions) => {
      knownCell((await where.fleet()).manifests, cell);
      const interrupted = untilInterrupted((text) => output.err(text));
      const change = { what: `Put back what cell ${cell} ran before its last deploy`, name: cell };
      const end = await where
        .mutate(change, async (on, origin) => {
          const book = on.connections.deploys;
          const artefact = await rollbackTo(book, cell);
          output.err(`Putting ${artefact.digest.slice(0, 12)} back into ${cell}`);
          return deployCell({
            target: on.deploys,
            book,
            cell,
            artefact,
            back: true,
            bake: bakeOf({ bake: 0 }, on),
            origin,
            report: (event) => output.err(eventLine(event)),
            signal: interrupted.signal,
          });
        })
        .finally(() => interrupted.done());
      report(output, options.json, end, () =>
        end.outcome === "done"
          ? `Cell ${cell} runs ${end.serving?.digest ?? ""} again.`
          : `Cell ${cell}: ${end.outcome}. ${end.reason ?? ""}`,
      );
      process.exitCode = end.outcome === "done" ? exitCodes.done : exitCodes.failed;
    });
}
