import type { Command } from "commander";
import { CommandError } from "../cli/errors.ts";
import { command, shapes } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { undoImport } from "../imports/complete.ts";
import { ImportApi } from "../imports/http.ts";
import { number, Progress, type ProgressOutput } from "../imports/progress.ts";
import { type WhereOptions, whereTo } from "../imports/where.ts";
import { type Output, report } from "../output/print.ts";

interface UndoOptions extends WhereOptions {
  tenant?: string;
  patience?: number;
  json?: boolean;
}

const minuteMs = 60_000;

/** `fleet import undo`: put back what an import replaced, wherever nobody has changed it since. */
export function undoCommand(output: Output, where: Where, progress: ProgressOutput): Command {
  return command("undo", "put back what an import replaced, where nobody has changed it since", [
    "fleet import undo 4bf92f3577b34da6a3ce --tenant carrier-a",
  ])
    .argument("<import>", "the import's id; imports can be undone for 14 days")
    .option("--tenant <tenant>", "whose book")
    .option("--url <url>", "router to send it to (default: the fleet that runs here)")
    .option(
      "--key-file <file>",
      "holds an API key with the scope imports; - reads standard input (default: PROVENIQ_KEY, or the local fleet's)",
    )
    .option("--key <key>", "the key itself; seen by everybody who can list this machine's processes")
    .addHelpText("after", "\nA run that was killed goes on: start it again.")
    .addHelpText("after", shapes('{"import": {id, undo: {state, restored, kept, until}, …}}'))
    .action(async (id: string, _: unknown, self: Command) => {
      // Options that `import` has too are taken by whichever of the two they stand behind.
      const options: UndoOptions = self.optsWithGlobals();
      const { tenant, patience = 10, json } = options;
      if (tenant === undefined) throw new CommandError("Name the tenant: --tenant carrier-a.");
      const change = { what: `Undo import ${id} of tenant ${tenant}`, name: tenant };
      const { url, key } = await whereTo(where, options, tenant, change, (sentence) =>
        output.err(`warning: ${sentence}`),
      );
      const shown = new Progress(json === true && !progress.isTerminal ? undefined : progress, 0);
      const api = new ImportApi({
        url,
        tenant,
        key,
        patienceMs: patience * minuteMs,
        onWait: (why, seconds) => shown.waiting(why, seconds),
      });
      try {
        const job = await undoImport(api, id, shown);
        shown.end();
        const { restored, kept } = job.undo ?? { restored: 0, kept: 0 };
        report(output, json, { import: job }, () =>
          [
            `Put back ${number(restored)} ${restored === 1 ? "thing" : "things"}.`,
            ...(kept > 0
              ? [
                  `${number(kept)} were changed since and stay as they are: GET /v1/imports/${id}/undo.ndjson names them.`,
                ]
              : []),
          ].join("\n"),
        );
      } finally {
        shown.end();
        api.close();
      }
    });
}
