import { removeCell, tenantsOf } from "@proveniq/control-plane";
import { sampleTenant } from "@proveniq/local-cloud/fleet";
import type { Command } from "commander";
import { CommandError } from "../cli/errors.ts";
import { command, jsonOption, shapes, stateDirOption } from "../cli/options.ts";
import { root } from "../cli/paths.ts";
import { type RegistryOptions, registryProjectOption, withCloud, withRegistry } from "../cli/registry.ts";
import { type Output, report } from "../output/print.ts";

interface RemoveOptions extends RegistryOptions {
  dryRun?: boolean;
  json?: boolean;
}

/** `fleet cells remove`: take an empty cell out of the repository, and say what remains to be done in the cloud. */
export function removeCommand(output: Output): Command {
  return command("remove", "take an empty cell out of the repository; touches nothing in the cloud", [
    "fleet cells remove ap --dry-run",
    "fleet cells remove ap --project proveniq-central",
  ])
    .argument("<id>", "the cell, such as ap")
    .option("--dry-run", "say what would be removed and what would remain to be done; change nothing")
    .addHelpText(
      "after",
      "\nRefused while a tenant is placed or claimed in it, a move is open, a tenant is pinned to it, or it is the default of its" +
        "\nresidency or Cell 0. The registry that is asked is that of the fleet which runs here; of a cell that was ever deployed, the" +
        "\ncloud's has to be asked, with --project. A local fleet's own sample tenant counts for nothing.",
    )
    .addHelpText(
      "after",
      shapes(
        '{"id", "files": ["infra/cells/…", …], "steps": ["…"], "asked": "…", "removed": false with --dry-run}',
      ),
    )
    .addOption(registryProjectOption())
    .addOption(jsonOption())
    .addOption(stateDirOption())
    .action(async (id: string, options: RemoveOptions) => {
      const { dryRun = false, json } = options;
      const asked = options.project ?? "the fleet of this machine";
      const removed = await removeCell(root, id, await ask(id, options), { dryRun });
      report(output, json, { ...removed, asked, removed: !dryRun }, () =>
        [
          `${dryRun ? "Would remove" : "Removed"} cell ${id}; the registry of ${asked} has nobody in it:`,
          ...removed.files.map((file) => `  ${file}`),
          "",
          ...(options.project === undefined
            ? ["The cloud's registry was not asked: a cell that was ever deployed is removed with --project."]
            : []),
          "If it was ever deployed, what remains, in this order:",
          ...removed.steps.map((step, n) => `  ${n + 1}. ${step}`),
        ].join("\n"),
      );
    });
}

async function ask(id: string, { project, ...local }: RemoveOptions) {
  if (project !== undefined)
    return withCloud(project, (connections, fleet) => tenantsOf(connections, fleet, id));
  return withRegistry(local, ({ connections, manifests }, { cells }) => {
    // Of a cell that was added since it started, a fleet knows nothing: its registry alone is asked.
    const running = Object.fromEntries(Object.entries(manifests).filter(([cell]) => cell in cells));
    return tenantsOf(connections, { manifests: running }, id, [sampleTenant(id)]);
  }).catch((error: unknown) => {
    if (error instanceof CommandError && error.message.startsWith("No fleet runs here"))
      throw new CommandError(
        "Which registry is to be asked whether somebody is in it? That of the cloud with --project <central project>, or that of " +
          "this machine's fleet, which does not run: start it with `npm start`.",
      );
    throw error;
  });
}
