import { type CellManifest, type Pausable, pausable } from "@proveniq/contracts";
import type { Connections } from "@proveniq/control-plane";
import { feltWithinSeconds, pauseCell, resumeCell } from "@proveniq/control-plane/pauses";
import { Argument, type Command } from "commander";
import { confirmOption, confirmTyped } from "../cli/confirm.ts";
import { CommandError } from "../cli/errors.ts";
import { command, jsonOption, shapes, stateDirOption } from "../cli/options.ts";
import {
  cloudFleet,
  operator,
  type RegistryOptions,
  registryProjectOption,
  withCloud,
  withRegistry,
} from "../cli/registry.ts";
import { type Output, report } from "../output/print.ts";

interface PauseOptions extends RegistryOptions {
  confirm?: string;
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
export function pauseCommand(output: Output): Command {
  return common(
    command("pause", "let a cell's imports, sink or replicator stand still", [
      "fleet pause eu imports --reason 'a nightly sync starves the others, INC-42'",
      "fleet pause eu sink --reason 'warehouse maintenance' --project proveniq-central",
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
      await onCell(output, cell, options, async (connections, manifests, where) => {
        const { pause, changed } = await pauseCell(
          connections,
          { manifests },
          { cell, what, reason },
          operator(),
        );
        report(output, options.json, { cell, pause, changed }, () =>
          [
            changed
              ? `Paused: ${what} of ${where}. Felt within ${feltWithinSeconds} seconds.`
              : `Was paused already for that reason: ${what} of ${where}.`,
            meanings[what],
            `Go on: npx fleet resume ${cell} ${what}${projectOf(options)}`,
          ].join("\n"),
        );
      });
    });
}

/** `fleet resume`: let it go on. */
export function resumeCommand(output: Output): Command {
  return common(
    command("resume", "let what was paused in a cell go on", [
      "fleet resume eu imports",
      "fleet resume eu sink --project proveniq-central",
    ]),
  )
    .addHelpText("after", shapes('{"cell", "what", "changed": false when it was not paused}'))
    .action(async (cell: string, what: Pausable, options: PauseOptions) => {
      await onCell(output, cell, options, async (connections, manifests, where) => {
        const { changed } = await resumeCell(connections, { manifests }, { cell, what }, operator());
        report(output, options.json, { cell, what, changed }, () =>
          changed
            ? `Resumed: ${what} of ${where}. Felt within ${feltWithinSeconds} seconds; see \`npx fleet status${projectOf(options)}\`.`
            : `Was not paused: ${what} of ${where}.`,
        );
      });
    });
}

function common(made: Command): Command {
  return made
    .argument("<cell>", "the cell, such as eu")
    .addArgument(new Argument("<what>", "which part of it").choices(pausable.options))
    .addOption(registryProjectOption())
    .addOption(confirmOption())
    .addOption(jsonOption())
    .addOption(stateDirOption());
}

const projectOf = ({ project }: RegistryOptions) => (project === undefined ? "" : ` --project ${project}`);

type Work = (
  connections: Connections,
  manifests: Readonly<Record<string, CellManifest>>,
  where: string,
) => Promise<void>;

/** Work on a cell here, or in the cloud once its id was typed again. */
async function onCell(output: Output, cell: string, options: PauseOptions, work: Work): Promise<void> {
  const { project, confirm } = options;
  if (project === undefined)
    return withRegistry(options, ({ connections, manifests }) =>
      work(connections, manifests, `cell ${cell} of the fleet of this machine`),
    );
  const { manifests } = await cloudFleet(project);
  const manifest = Object.hasOwn(manifests, cell) ? manifests[cell] : undefined;
  if (manifest === undefined)
    throw new CommandError(`There is no cell "${cell}". There are ${Object.keys(manifests).join(", ")}.`);
  const where = `cell ${cell} (${manifest.name}) in project ${manifest.project}`;
  // Beside the result, which may be JSON.
  output.err(`Target: ${where}`);
  await confirmTyped(cell, `project ${manifest.project}`, confirm);
  return withCloud(project, (connections) => work(connections, manifests, where));
}
