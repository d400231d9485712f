import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, Option } from "commander";
import { parseDuration } from "../cli/duration.ts";
import { CommandError, exitCodes } from "../cli/errors.ts";
import { plainCommand, shapes } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { readCliConfig } from "../config.ts";
import {
  gcloudCommand,
  type Level,
  type LogFilter,
  levels,
  passes,
  type Service,
  services,
} from "../logs/filter.ts";
import { asJson, inOrderOfTime, type LogLine } from "../logs/merge.ts";
import { palette } from "../output/colour.ts";
import { formatLine } from "../output/log-line.ts";
import type { Output } from "../output/print.ts";

interface LogsOptions {
  since?: number;
  level?: Level;
  grep?: string;
  service?: Service;
  follow?: boolean;
  trace?: string;
  json?: boolean;
}

/** As much of the end of a file is read, in bytes. */
const tailBytes = 4 * 1024 * 1024;
/** What a cell has of services in the cloud. */
const functions = ["api", "bulk", "replicate", "sink"];
/** What belongs to the fleet and to no cell. */
const others = ["router", "warehouse", "central"];

/** `fleet logs CELL`: what the services of a cell wrote, or the command that asks the cloud for it. */
export function logsCommand(output: Output, where: Where): Command {
  return plainCommand("logs", "what the services of a cell wrote; in the cloud, the command that reads it", [
    "fleet logs eu --since 15m --level warn",
    'fleet logs eu --service bulk --grep "import-incomplete" --follow',
    "fleet logs router",
    "fleet logs --trace 4bf92f3577b34da6a3ce929d0e0e4736",
    "fleet logs eu --env production --since 1h --level error",
  ])
    .argument("[cell]", `the cell, such as eu; or ${others.join(", ")}; with --trace, none means all`)
    .option(
      "--since <time>",
      "not older than this, such as 15m; lines without a time always show",
      parseDuration,
    )
    .addOption(new Option("--level <level>", "at least that grave").choices(Object.keys(levels)))
    .option("--grep <text>", "only lines that hold this text")
    .addOption(new Option("--service <name>", "only this one of the cell").choices(services))
    .option("--follow", "go on with what comes, until Ctrl-C")
    .option(
      "--trace <id>",
      "only lines with this trace or request id: of the router too, and without a cell of all cells",
    )
    .option(
      "--json",
      "each line as a JSON document of its own; without it, and on a terminal, lines are made for people",
    )
    .addHelpText("after", shapes('per line {"log": of which service, …its own fields}, or {"log", "text"}'))
    .action(async (named: string | undefined, options: LogsOptions) => {
      const { config, manifests } = await where.fleet();
      const { trace } = options;
      if (named === undefined && trace === undefined)
        throw new CommandError("Say of which cell, or what to look for with --trace.", exitCodes.usage);
      const cell = named ?? "router";
      const manifest = Object.hasOwn(manifests, cell) ? manifests[cell] : undefined;
      if (manifest === undefined && !others.includes(cell))
        throw new CommandError(
          `There is no cell "${cell}". There are ${Object.keys(manifests).join(", ")}; and ${others.join(", ")}.`,
        );
      const { since, level } = options;
      const grep = trace ?? options.grep;
      const filter: LogFilter = {
        since: since === undefined ? undefined : Date.now() - since * 1_000,
        level,
        grep,
      };
      if (where.name !== "local") {
        if (named === undefined)
          throw new CommandError(
            "In the cloud each cell's logs are in its own project: say which, the router, or one after the other.",
            exitCodes.usage,
          );
        if (manifest === undefined) {
          if (cell !== "router")
            throw new CommandError(
              `In the cloud ${cell} is Google's own and writes no log of ours: see https://status.cloud.google.com. Logs are there of each cell, and of the router.`,
            );
          const routers = Object.keys(config.defaults).map((residency) => `router-${residency}`);
          output.out(gcloudCommand(routers, config.central.project, { level, grep, seconds: since }));
          return;
        }
        if (options.service === "database")
          throw new CommandError(
            "In the cloud a database is Firestore itself, and writes no log of its own.",
          );
        output.out(
          gcloudCommand(
            (options.service === undefined ? functions : [options.service]).map((name) => `${cell}-${name}`),
            manifest.project,
            { level, grep, seconds: since },
          ),
        );
        return;
      }
      const folder = join(where.stateDir, "logs");
      const cells = named === undefined ? Object.keys(manifests) : [named];
      const names = [
        ...new Set([
          ...(trace === undefined ? [] : ["router"]),
          ...cells.flatMap((id) => namesOf(id, options.service)),
        ]),
      ];
      const present = new Set(await readdir(folder).catch(() => []));
      const found = names.filter((name) => present.has(`${name}.log`));
      if (found.length === 0)
        throw new CommandError(
          `No log of ${cell} in ${folder}. Does a fleet run, or did one? Start it with \`npm start\`.`,
        );
      const width = Math.max(...found.map((name) => name.length));
      const { colour, terminal } = readCliConfig();
      const paint = palette(colour);
      const show = (line: LogLine): string | undefined => {
        if (options.json === true) return asJson(line);
        if (terminal)
          return formatLine({ source: line.service, kind: "output", text: line.text }, width, paint);
        return `${line.service.padEnd(width)} ${line.text}`;
      };
      await read(found, folder, options.follow === true, (logs) => {
        for (const line of inOrderOfTime(logs)) {
          if (
            !passes(line.text, filter) ||
            (trace !== undefined && options.grep !== undefined && !line.text.includes(options.grep))
          )
            continue;
          const shown = show(line);
          if (shown !== undefined) output.out(shown);
        }
      });
    });
}

function namesOf(cell: string, service: Service | undefined): string[] {
  if (cell === "central") return ["emulator-central"];
  if (others.includes(cell)) return [cell];
  const names: Record<Service, string> = {
    api: cell,
    bulk: `bulk-${cell}`,
    replicate: `replicate-${cell}`,
    sink: `sink-${cell}`,
    database: `emulator-${cell}`,
  };
  if (service !== undefined) return [names[service]];
  // The database's own log has neither levels nor anything to tell on most nights: only who asks for it gets it.
  return services.filter((each) => each !== "database").map((each) => names[each]);
}

/** What is new at the ends of the files, all at once; then, with `follow`, what is added to any of them. */
async function read(
  names: readonly string[],
  folder: string,
  follow: boolean,
  hear: (logs: { service: string; lines: string[] }[]) => void,
): Promise<void> {
  const places = new Map<string, { at: number; rest: string }>();
  for (;;) {
    const logs: { service: string; lines: string[] }[] = [];
    for (const name of names) {
      const file = join(folder, `${name}.log`);
      const size = await stat(file)
        .then((s) => s.size)
        .catch(() => 0);
      const known = places.get(name);
      const cut = known === undefined && size > tailBytes;
      // A file that became shorter was begun anew.
      const at = known === undefined ? Math.max(0, size - tailBytes) : known.at > size ? 0 : known.at;
      if (known !== undefined && at === size) continue;
      const handle = await open(file).catch(() => undefined);
      if (handle === undefined) continue;
      try {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - at), 0, size - at, at);
        const lines = ((known?.rest ?? "") + buffer.toString("utf8", 0, bytesRead)).split("\n");
        const rest = lines.pop() ?? "";
        const whole = [...(cut ? lines.slice(1) : lines), ...(follow ? [] : [rest])];
        logs.push({ service: name, lines: whole.filter((line) => line !== "") });
        places.set(name, { at: at + bytesRead, rest });
      } finally {
        await handle.close();
      }
    }
    hear(logs);
    if (!follow) return;
    await sleep(250);
  }
}
