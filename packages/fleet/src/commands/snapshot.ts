import { messageOf } from "@proveniq/contracts";
import { controlClient } from "@proveniq/local-cloud/control";
import { runningState, SavedData } from "@proveniq/local-cloud/fleet";
import { Command } from "commander";
import { CommandError } from "../cli/errors.ts";
import { command, shapes } from "../cli/options.ts";
import { ofThisMachine, type Where } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";

interface SnapshotOptions {
  json?: boolean;
}

/** `fleet snapshot …`: copies of the local fleet's data under names. */
export function snapshotCommand(output: Output, where: Where): Command {
  const snapshots = new Command("snapshot").description(
    "keep copies of the local fleet's data, and go back to them",
  );
  snapshots.addCommand(saveCommand(output, where));
  snapshots.addCommand(loadCommand(output, where));
  snapshots.addCommand(listCommand(output, where));
  return snapshots;
}

function saveCommand(output: Output, where: Where): Command {
  return common("save", "save the data of the fleet that runs, or of the last run, under a name", [
    "fleet snapshot save two-carriers",
  ])
    .argument("<name>", "lower-case letters, digits and hyphens")
    .action(async (name: string, options: SnapshotOptions) => {
      const { stateDir } = where;
      const running = await runningState(stateDir);
      if (running !== undefined) await plainly(controlClient(running.control).save());
      const { savedAt } = await plainly(new SavedData(stateDir).keepAs(name));
      report(
        output,
        options.json,
        { name, savedAt },
        () => `Saved as ${name}, as of ${savedAt}. Go back to it: npx fleet snapshot load ${name}`,
      );
    });
}

function loadCommand(output: Output, where: Where): Command {
  return common("load", "begin the next run with the data of a snapshot; the fleet must not run", [
    "fleet down && npx fleet snapshot load two-carriers && npm start",
  ])
    .argument("<name>", "of the snapshot")
    .action(async (name: string, options: SnapshotOptions) => {
      const { stateDir } = where;
      if ((await runningState(stateDir)) !== undefined)
        throw new CommandError(
          "A fleet runs here. Stop it first (npx fleet down): it saves its own data when it stops.",
        );
      const { savedAt } = await plainly(new SavedData(stateDir).takeUp(name));
      report(
        output,
        options.json,
        { name, savedAt },
        () => `The next start begins with ${name}, as of ${savedAt}: npm start`,
      );
    });
}

function listCommand(output: Output, where: Where): Command {
  return common("list", "the snapshots and when their data was saved", ["fleet snapshot list"]).action(
    async (options: SnapshotOptions) => {
      const snapshots = await new SavedData(where.stateDir).snapshots();
      report(output, options.json, { snapshots }, () =>
        snapshots.length === 0
          ? "There are no snapshots. Make one: npx fleet snapshot save NAME"
          : table([["NAME", "SAVED"], ...snapshots.map(({ name, savedAt }) => [name, savedAt])]),
      );
    },
  );
}

function common(name: string, summary: string, examples: readonly string[]): Command {
  const shape = name === "list" ? '{"snapshots": [{name, savedAt}]}' : '{"name", "savedAt"}';
  return ofThisMachine(command(name, summary, examples)).addHelpText("after", shapes(shape));
}

/** What the data's keeper says is meant for people. */
async function plainly<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new CommandError(messageOf(error));
  }
}
