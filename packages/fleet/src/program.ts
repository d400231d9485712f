import { messageOf } from "@proveniq/contracts";
import { Command, CommanderError } from "commander";
import { CommandError, exitCodes } from "./cli/errors.ts";
import { type OpenEnvironment, Where } from "./cli/where.ts";
import { acknowledgeCommand } from "./commands/acknowledge.ts";
import { analyticsCommand } from "./commands/analytics.ts";
import { auditCommand } from "./commands/audit.ts";
import { cellsCommand } from "./commands/cells.ts";
import { cloudCommand } from "./commands/cloud.ts";
import { deployCommand } from "./commands/deploy.ts";
import { directoryCommand } from "./commands/directory.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { downCommand } from "./commands/down.ts";
import { importCommand } from "./commands/import.ts";
import { keysCommand } from "./commands/keys.ts";
import { logsCommand } from "./commands/logs.ts";
import { marketCommand } from "./commands/market.ts";
import { packCommand } from "./commands/pack.ts";
import { pauseCommand, resumeCommand } from "./commands/pause.ts";
import { residencyCommand } from "./commands/residency.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { routeCommand } from "./commands/route.ts";
import { secretsCommand } from "./commands/secrets.ts";
import { snapshotCommand } from "./commands/snapshot.ts";
import { statusCommand } from "./commands/status.ts";
import { tenantsCommand } from "./commands/tenants.ts";
import { tokenCommand } from "./commands/token.ts";
import { upCommand } from "./commands/up.ts";
import { type Output, terminal } from "./output/print.ts";
import { version } from "./version.ts";

const guide = `
Start here:
  npm run doctor                          is everything there that a local fleet needs?
  npx fleet up                            run it (npm start does the same and installs first)
  npx fleet status                        what is wrong, what to read, what to type
  npx fleet deploy eu                     build once, deploy, watch, roll back automatically if unhealthy
  npx fleet deploy --waves                the same for every cell, one after the other
  npx fleet cells list                    which cells there are, and where they run
  npx fleet tenants add acme --cell eu    add a tenant to the fleet that runs
  npx fleet route explain http://localhost:8080/v1/items -H 'x-tenant-id: acme'
  npx fleet residency audit --all         where is whose data, and where is that laid down?
  npx fleet keys create acme --scope items:read,items:write
  npx fleet import book.csv --tenant acme --map mapping.json
  npx fleet token --as alice              be a consumer, on this machine
  npx fleet market verify                 does every cell hold the published market values?
  npx fleet analytics report              the anonymous view over all cells

  npx fleet cloud bootstrap --env staging bring a cloud up, as far as it goes; again at any time
  npx fleet status --env production       the same of a cloud; FLEET_ENV says it for every command

Every command takes --json and --help. Outside this machine, what changes something asks for a name to be typed, or --confirm NAME. Exit codes: 0 done, 1 could not be done, 2 wrong command line.`;

/** Every command; they work in the environments that `open` opens. */
export function commands(output: Output, open?: OpenEnvironment): Command {
  const where = new Where(output, open);
  const fleet = new Command("fleet")
    .description(
      "Operate a fleet of Proveniq cells: on this machine, or in a cloud that infra/fleet.json names.",
    )
    .addHelpText("after", guide)
    .showSuggestionAfterError()
    .option("-V, --version", "print the version and its commit")
    .on("option:version", () => {
      output.out(version());
      throw new CommanderError(exitCodes.done, "commander.version", "version");
    });
  where.attach(fleet);
  for (const each of [
    upCommand(output, where),
    downCommand(output, where),
    snapshotCommand(output, where),
    secretsCommand(output, where),
    statusCommand(output, where),
    acknowledgeCommand(output, where),
    logsCommand(output, where),
    packCommand(output),
    deployCommand(output, where),
    rollbackCommand(output, where),
    pauseCommand(output, where),
    resumeCommand(output, where),
    cellsCommand(output, where),
    cloudCommand(output, where),
    tenantsCommand(output, where),
    directoryCommand(output, where),
    routeCommand(output, where),
    residencyCommand(output, where),
    keysCommand(output, where),
    importCommand(output, where),
    tokenCommand(output, where),
    marketCommand(output, where),
    analyticsCommand(output, where),
    auditCommand(output, where),
    doctorCommand(output, where),
  ])
    fleet.addCommand(each);
  for (const each of withChildren(fleet)) {
    each.exitOverride();
    each.configureOutput({
      writeOut: (text) => output.out(text.trimEnd()),
      writeErr: (text) => output.err(text.trimEnd()),
    });
    each.configureHelp({ showGlobalOptions: true });
  }
  return fleet;
}

/** Run one command line. Resolves with the exit code, or with nothing when the command has set it itself. */
export async function program(
  args: readonly string[],
  output: Output = terminal,
  open?: OpenEnvironment,
): Promise<number | undefined> {
  try {
    const fleet = commands(output, open);
    if (args.length === 0) fleet.outputHelp();
    else await fleet.parseAsync(args, { from: "user" });
    return undefined;
  } catch (error) {
    return fail(error, args.includes("--json"), output);
  }
}

/** A command and all below it. */
export function withChildren(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withChildren)];
}

function fail(error: unknown, json: boolean, output: Output): number {
  if (error instanceof CommanderError) {
    // Commander has said it on stderr already.
    if (error.exitCode !== 0 && json) output.out(JSON.stringify({ error: error.message }));
    return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  }
  const message = messageOf(error);
  if (json) output.out(JSON.stringify({ error: message }));
  else output.err(message);
  return error instanceof CommandError ? error.exitCode : exitCodes.failed;
}
