import { removeCell, tenantsOf } from "@proveniq/control-plane";
import { sampleTenant } from "@proveniq/local-cloud/fleet";
import type { Command } from "commander";
import { CommandError } from "../cli/errors.ts";
import { command, shapes } from "../cli/options.ts";
import { root } from "../cli/paths.ts";
import type { Where } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";

interface RemoveOptions {
  dryRun?: boolean;
  json?: boolean;
}

/** `fleet cells remove`: take an empty cell out of the repository, and say what remains to be done in the cloud. */
export function removeCommand(output: Output, where: Where): Command {
  return command("remove", "take an empty cell out of the repository; touches nothing in the cloud", [
    "fleet cells remove ap --dry-run",
    "fleet cells remove ap --env production",
  ])
    .argument("<id>", "the cell, such as ap")
    .option("--dry-run", "say what would be removed and what would remain to be done; change nothing")
    .addHelpText(
      "after",
      "\nRefused while a tenant is placed or claimed in it, a move is open, a tenant is pinned to it, or it is the default of its" +
        "\nresidency or Cell 0. The registry that is asked is that of the fleet which runs here; of a cell that was ever deployed, the" +
        "\ncloud's has to be asked, with --env. A local fleet's own sample tenant counts for nothing.",
    )
    .addHelpText(
      "after",
      shapes(
        '{"id", "files": ["infra/cells/…", …], "steps": ["…"], "asked": "…", "removed": false with --dry-run}',
      ),
    )
    .action(async (id: string, options: RemoveOptions) => {
      const { dryRun = false, json } = options;
      const { asked, tenants } = await ask(where, id);
      const removed = await removeCell(root, id, tenants, { dryRun });
      report(output, json, { ...removed, asked, removed: !dryRun }, () =>
        [
          `${dryRun ? "Would remove" : "Removed"} cell ${id}; the registry of ${asked} has nobody in it:`,
          ...removed.files.map((file) => `  ${file}`),
          "",
          ...(where.name === "local"
            ? ["No cloud's registry was asked: a cell that was ever deployed is removed with --env."]
            : []),
          "If it was ever deployed, what remains, in this order:",
          ...removed.steps.map((step, n) => `  ${n + 1}. ${step}`),
        ].join("\n"),
      );
    });
}

/** A local fleet's own sample tenant counts for nothing. */
async function ask(where: Where, id: string) {
  const ignored = where.name === "local" ? [sampleTenant(id)] : [];
  return where
    .read(async (environment) => ({
      asked: environment.title,
      tenants: await tenantsOf(environment.connections, environment, id, ignored),
    }))
    .catch((error: unknown) => {
      if (error instanceof CommandError && error.message.startsWith("No fleet runs here"))
        throw new CommandError(
          "Which registry is to be asked whether somebody is in it? A cloud's with --env production, or that of this " +
            "machine's fleet, which does not run: start it with `npm start`.",
        );
      throw error;
    });
}
