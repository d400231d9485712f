import { messageOf } from "@proveniq/contracts";
import { FleetConflict, type FleetLine, startFleet } from "@proveniq/local-cloud/fleet";
import { type Command, Option } from "commander";
import { CommandError, exitCodes } from "../cli/errors.ts";
import { command, list, portBaseOption, shapes, wholeNumber } from "../cli/options.ts";
import { root } from "../cli/paths.ts";
import { ofThisMachine, type Where } from "../cli/where.ts";
import { readCliConfig } from "../config.ts";
import { banner } from "../output/banner.ts";
import { palette } from "../output/colour.ts";
import { formatLine } from "../output/log-line.ts";
import { type Output, report } from "../output/print.ts";
import { detach } from "../up/detach.ts";
import { stopRequests } from "../up/signals.ts";
import { watchSources } from "../up/watch.ts";

interface UpOptions {
  portBase?: number;
  cells?: string[];
  watch?: boolean;
  quiet?: boolean;
  fresh?: boolean;
  detach?: boolean;
  heap?: number;
  profile?: "production";
  logLevel?: string;
  json?: boolean;
}

/** `fleet up`: build and run the whole fleet until it is told to stop. */
export function upCommand(output: Output, where: Where): Command {
  return ofThisMachine(
    command("up", "build what changed and run the whole fleet on this machine (what `npm start` does)", [
      "fleet up",
      "fleet up --watch                       build and restart what changes (npm run dev)",
      "fleet up --cells consumer,eu           only these cells",
      "fleet up --detach && npm run demo; npx fleet down",
      "fleet up --fresh                       forget the data of the run before",
      "fleet up --port-base 9080              beside something else that holds port 8080",
    ]),
  )
    .addHelpText("after", shapes("the state of the fleet as in .fleet/state.json, once, when it is ready"))
    .addHelpText(
      "after",
      [
        "\nCtrl-C or SIGTERM stops everything in order (exit code 0); a second one kills it (130).",
        "Exit code 1: a fleet runs already, a port is taken, or something did not start.",
      ].join("\n"),
    )
    .addOption(portBaseOption())
    .option("--cells <ids>", "run only these, with commas between them (default: all in infra/cells)", list)
    .option("--watch", "build and restart what changes")
    .option("--fresh", "begin with empty databases, not with what was saved of the run before")
    .option("--detach", "run in the background; return when it is ready (stop it with: npx fleet down)")
    .option("--quiet", "print no logs (they are in .fleet/logs all the same)")
    .option("--heap <MiB>", "Java heap of each emulator", wholeNumber("a size", 64, 1_000_000))
    .addOption(
      new Option(
        "--profile <name>",
        "production: databases refuse and delay as Firestore does, and say where writes run hot",
      ).choices(["production"]),
    )
    .addOption(
      new Option("--log-level <level>", "of cells and router (default: info)").choices([
        "debug",
        "info",
        "warn",
        "error",
      ]),
    )
    .action(async (options: UpOptions) => {
      process.exitCode =
        options.detach === true
          ? await upDetached(output, options, where.stateDir)
          : await up(output, options, where.stateDir);
    });
}

/** Of the longest name in the house's own fleet, replicate-enterprise-a. */
const sourceWidth = 22;

async function up(output: Output, options: UpOptions, stateDir: string): Promise<number> {
  const config = readCliConfig();
  const paint = palette(config.colour);
  const quiet = options.quiet === true;
  const tell = (line: FleetLine) => {
    if (options.json === true || (quiet && line.kind === "output")) return;
    const text = formatLine(line, sourceWidth, paint);
    if (text !== undefined) output.out(text);
  };
  const say = (text: string) => tell({ source: "fleet", kind: "note", text });
  const stops = await stopRequests(config);
  // At once: what is being started may need seconds until it can be stopped.
  stops.signal.addEventListener("abort", () => say(`stopping (${String(stops.signal.reason)}) …`), {
    once: true,
  });
  const started = performance.now();
  try {
    say("building and starting …");
    const fleet = await startFleet(
      {
        root,
        stateDir,
        data: options.fresh === true ? "fresh" : "keep",
        ...(options.portBase === undefined ? {} : { portBase: options.portBase }),
        ...(options.cells === undefined ? {} : { cells: options.cells }),
        ...(options.heap === undefined ? {} : { heapMb: options.heap }),
        ...(options.profile === undefined ? {} : { profile: options.profile }),
        ...(options.logLevel === undefined ? {} : { logLevel: options.logLevel }),
        onLine: tell,
      },
      stops.signal,
    );
    stops.onAgain(() => {
      fleet.kill();
      process.exit(exitCodes.interrupted);
    });
    if (options.json === true) output.out(JSON.stringify(fleet.state));
    else output.out(banner(fleet.state, (performance.now() - started) / 1000, paint));

    const unwatch =
      options.watch === true
        ? watchSources(root, async (files) => {
            say(`${files.join(", ")} changed; building`);
            try {
              const restarted = await fleet.reload();
              say(
                restarted.length === 0
                  ? "nothing that runs is affected"
                  : `restarted ${restarted.join(", ")}`,
              );
            } catch (error) {
              say(messageOf(error));
            }
          })
        : undefined;
    await aborted(stops.signal);
    unwatch?.();
    await fleet.stop();
    say("stopped");
    return exitCodes.done;
  } catch (error) {
    if (stops.signal.aborted) {
      say("stopped while starting");
      return exitCodes.done;
    }
    if (error instanceof FleetConflict) throw new CommandError(error.message);
    throw error;
  } finally {
    stops.dispose();
  }
}

async function upDetached(output: Output, options: UpOptions, stateDir: string): Promise<number> {
  const started = performance.now();
  const state = await detach(stateDir);
  report(output, options.json, state, () =>
    banner(state, (performance.now() - started) / 1000, palette(readCliConfig().colour)),
  );
  return exitCodes.done;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
