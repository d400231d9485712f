import { controlClient } from "@proveniq/local-cloud/control";
import type { Command } from "commander";
import { command, shapes } from "../cli/options.ts";
import { ofThisMachine, onThisMachine, type Where } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";

/** `fleet acknowledge`: somebody knows that data was lost; until then `status` says so. */
export function acknowledgeCommand(output: Output, where: Where): Command {
  return ofThisMachine(
    command(
      "acknowledge",
      "take note of data that this machine's fleet has lost, so that status says it no more",
      ["fleet acknowledge"],
    ),
  )
    .addHelpText(
      "after",
      shapes('{"losses": [{database, at, savedAt: what was written after that is lost}]}'),
    )
    .action(async (options: { json?: boolean }) => {
      const losses = await onThisMachine(where, ({ state }) => controlClient(state.control).acknowledge());
      report(output, options.json, { losses }, () =>
        losses.length === 0
          ? "Nothing was lost that somebody would not know of."
          : losses
              .map(
                ({ database, at, savedAt }) =>
                  `Noted: ${database}, at ${at}, ${savedAt === null ? "all of it" : `what was written after ${savedAt}`}.`,
              )
              .join("\n"),
      );
    });
}
