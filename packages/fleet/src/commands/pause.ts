import { type Pausable, pausable } from "@proveniq/contracts";
import { knownCell } from "@proveniq/control-plane";
import { feltWithinSeconds, pauseCell, resumeCell } from "@proveniq/control-plane/pauses";
import { Argument, type Command } from "commander";
import { command, shapes } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";

interface PauseOptions {
  json?: boolean;
}

const meanings: Record<Pausable, string> = {
  imports: "Who imports gets 503 imports-paused and waits; what was taken stays, all else is served.",
  sink: "Events wait in the outbox, none is lost; the days they belong to are not published.",
  replicator: "Market values grow old and are served with their age; after the allowed lag the cell says so.",
};

const explanation = `
${Object.entries(meanings)
  .map(([what, meaning]) => `  ${what.padEnd(11)} ${meaning}`)
  .join("\n")}

It is kept in the cell's own database, so it works while the centre is down, and survives restarts and deploys. \`fleet status\`
shows it until it is resumed; \`fleet audit\` says who did it and why.`;

/** `fleet pause`: let a part of a cell stand still. */
export function pauseCommand(output: Output, where: Where): Command {
  return common(
    command("pause", "let a cell's imports, sink or replicator stand still", [
      "fleet pause eu imports --reason 'a nightly sync starves the others, INC-42'",
      "fleet pause eu sink --reason 'warehouse maintenance' --env production --confirm eu",
    ]),
  )
    .requiredOption("--reason <text>", "why, for whoever is on call after you")
    .addHelpText("after", explanation)
    .addHelpText(
      "after",
      shapes('{"cell", "pause": {what, since, who, from, reason}, "changed": false when it was so already}'),
    )
    .action(async (cell: string, what: Pausable, options: PauseOptions & { reason: string }) => {
      const { reason } = options;
      const change = { what: `Pause ${what} of ${await named(where, cell)}`, name: cell };
      const { pause, changed } = await where.mutate(change, ({ connections, manifests }, by) =>
        pauseCell(connections, { manifests }, { cell, what, reason }, by),
      );
      report(output, options.json, { cell, pause, changed }, () =>
        [
          changed
            ? `Paused: ${what} of cell ${cell}. Felt within ${feltWithinSeconds} seconds.`
            : `Was paused already for that reason: ${what} of cell ${cell}.`,
          meanings[what],
          `Go on: npx fleet resume ${cell} ${what}${where.suffix}`,
        ].join("\n"),
      );
    });
}

/** `fleet resume`: let it go on. */
export function resumeCommand(output: Output, where: Where): Command {
  return common(
    command("resume", "let what was paused in a cell go on", [
      "fleet resume eu imports",
      "fleet resume eu sink --env production --confirm eu",
    ]),
  )
    .addHelpText("after", shapes('{"cell", "what", "changed": false when it was not paused}'))
    .action(async (cell: string, what: Pausable, options: PauseOptions) => {
      const change = { what: `Resume ${what} of ${await named(where, cell)}`, name: cell };
      const { changed } = await where.mutate(change, ({ connections, manifests }, by) =>
        resumeCell(connections, { manifests }, { cell, what }, by),
      );
      report(output, options.json, { cell, what, changed }, () =>
        changed
          ? `Resumed: ${what} of cell ${cell}. Felt within ${feltWithinSeconds} seconds; see \`npx fleet status${where.suffix}\`.`
          : `Was not paused: ${what} of cell ${cell}.`,
      );
    });
}

function common(made: Command): Command {
  return made
    .argument("<cell>", "the cell, such as eu")
    .addArgument(new Argument("<what>", "which part of it").choices(pausable.options));
}

/** A cell by all that people know it by. Throws CommandError when there is none of this id. */
async function named(where: Where, cell: string): Promise<string> {
  const { name, project } = knownCell((await where.fleet()).manifests, cell);
  return `cell ${cell} (${name}, project ${project})`;
}
