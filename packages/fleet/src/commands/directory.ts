import {
  type DirectoryChange,
  diffDirectory,
  directoryHistory,
  type Publication,
  type PublishedDirectory,
  publishDirectory,
  rollbackDirectory,
} from "@proveniq/control-plane";
import { type Environment, operator } from "@proveniq/control-plane/environment";
import { Command, InvalidArgumentError, Option } from "commander";
import { command, shapes, wholeNumber } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { readCliConfig } from "../config.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";

interface DirectoryOptions {
  to?: string;
  json?: boolean;
}

const changeShape = "{kind, what, name, before, after}";

/** `fleet directory …`: what routers know, as it follows from the registry. */
export function directoryCommand(output: Output, where: Where): Command {
  return new Command("directory")
    .description("publish what routers know, see what would change, and go back to an earlier version")
    .addCommand(publishCommand(output, where))
    .addCommand(diffCommand(output, where))
    .addCommand(rollbackCommand(output, where))
    .addCommand(historyCommand(output, where));
}

function historyCommand(output: Output, where: Where): Command {
  return command(
    "history",
    "the directories that were published, newest first, by whom, and what they changed",
    ["fleet directory history", "fleet directory history --last 5 --json"],
  )
    .option("--last <n>", "how many", wholeNumber("a number of publications", 1, 50), 10)
    .addHelpText(
      "after",
      shapes(
        `{"history": [{version, at, who, from, action, target, contentOf, changes: [${changeShape}] or null}]}`,
      ),
    )
    .action(async ({ last, json }: { last: number; json?: boolean }) => {
      const history = await where.read(({ connections }) => directoryHistory(connections.control, last));
      report(output, json, { history }, () =>
        history.length === 0
          ? "Nothing was published yet."
          : history
              .map((h) =>
                [
                  `version ${h.version}  ${h.at}  ${h.who} from ${h.from}, to ${h.target}${h.contentOf === null ? "" : `, the content of version ${h.contentOf}`}`,
                  h.changes === null
                    ? "the one before is not kept, so nothing can be compared"
                    : describe(h.changes),
                ].join("\n"),
              )
              .join("\n\n"),
      );
    });
}

function publishCommand(output: Output, where: Where): Command {
  return withTarget("publish", "publish the registry under a new version, unless routers have it already", [
    "fleet directory publish",
    "fleet directory publish --to redis://127.0.0.1:6379",
    "fleet directory publish --to ecfg_abc123 --env production --confirm production",
  ])
    .addHelpText(
      "after",
      "\nRefused when a tenant would be dropped, or would move without a greater epoch, when hosts collide, when a cell's" +
        "\norigin lies outside the zone, answers as another cell, or is new and silent (each is asked for /v1/cell), and when" +
        "\nit is larger than directory.maxBytes of infra/fleet.json. Every publication leaves an audit record; the last 50 are kept.",
    )
    .addHelpText(
      "after",
      shapes(
        `{"target": "…", "version": n, "published": false when nothing changed, "changes": [${changeShape}], "warnings": ["…"]}`,
      ),
    )
    .action(async (options: DirectoryOptions) => {
      const change = { what: "Publish the registry as the directory that routers read" };
      const work = withPublication(options, publishDirectory);
      reportPublished(output, options, await where.mutate(change, work));
    });
}

function diffCommand(output: Output, where: Where): Command {
  return withTarget("diff", "what `publish` would change, or `rollback` with a version; changes nothing", [
    "fleet directory diff",
    "fleet directory diff 12",
  ])
    .argument("[version]", "an earlier version, as `rollback` takes it", version)
    .addHelpText(
      "after",
      shapes(
        `{"target": "…", "present": version there or null, "changes": [${changeShape}], "refusals": ["…"], "warnings": ["…"], "bytes": n, "maxBytes": n or null for no limit}`,
      ),
    )
    .action(async (earlier: number | undefined, options: DirectoryOptions) => {
      const work = withPublication(options, (publication) => diffDirectory(publication, earlier));
      const diff = await where.read((on) => work(on, operator()));
      report(output, options.json, diff, () =>
        [
          `${diff.target} holds ${diff.present === null ? "nothing" : `version ${diff.present}`}; what would follow has ${diff.bytes}${diff.maxBytes === null ? "" : ` of ${diff.maxBytes}`} bytes.`,
          describe(diff.changes),
          ...diff.refusals.map((each) => `Would be refused: ${each}`),
          ...diff.warnings.map((each) => `Warning: ${each}`),
        ].join("\n"),
      );
    });
}

function rollbackCommand(output: Output, where: Where): Command {
  return withTarget(
    "rollback",
    "publish the content of an earlier version again, under a new and greater one",
    ["fleet directory diff 12", "fleet directory rollback 12"],
  )
    .argument("<version>", "one of the last 50 that were published", version)
    .addHelpText(
      "after",
      "\nChecked like any publication: it is refused when a tenant has come or moved since. The registry stays as it is, so" +
        "\nrepair what was wrong (infra/, hosts) before the next `publish`.",
    )
    .addHelpText(
      "after",
      shapes(`{"target": "…", "version": n, "published": …, "changes": [${changeShape}], "warnings": ["…"]}`),
    )
    .action(async (earlier: number, options: DirectoryOptions) => {
      const change = { what: `Publish version ${earlier} of the directory again` };
      const work = withPublication(options, (publication) => rollbackDirectory(publication, earlier));
      reportPublished(output, options, await where.mutate(change, work));
    });
}

function withTarget(name: string, summary: string, examples: readonly string[]): Command {
  return command(name, summary, examples)
    .addOption(
      new Option(
        "--to <target>",
        "a file, a redis:// URL or an Edge Config's id, ecfg_… (default: the file that the router of this fleet reads)",
      ),
    )
    .addHelpText(
      "after",
      "\nAn Edge Config is written by its platform's REST API: EDGE_CONFIG_API_TOKEN holds the token, EDGE_CONFIG_TEAM its team.",
    );
}

/** What came of it, and where: with several targets, people must see which one it was. */
function withPublication<T extends object>(
  { to }: DirectoryOptions,
  work: (publication: Publication) => Promise<T>,
) {
  return async (on: Environment, by: Publication["origin"]): Promise<T & { target: string }> => {
    const target = on.directory(to, readCliConfig().edgeConfig);
    try {
      return { target: target.name, ...(await work(on.publication(target, by))) };
    } finally {
      target.close();
    }
  };
}

function reportPublished(
  output: Output,
  options: DirectoryOptions,
  { target, snapshot: { version }, published, changes, warnings }: PublishedDirectory & { target: string },
): void {
  report(output, options.json, { target, version, published, changes, warnings }, () =>
    published
      ? [
          `Published version ${version} to ${target}.`,
          describe(changes),
          ...warnings.map((each) => `Warning: ${each}`),
        ].join("\n")
      : `${target} holds version ${version} already; nothing was published.`,
  );
}

function describe(changes: readonly DirectoryChange[]): string {
  if (changes.length === 0) return "Nothing changes.";
  return table(
    changes.map(({ kind, what, name, before, after }) => [
      kind,
      what,
      name,
      kind === "changed" ? `${before} -> ${after}` : (after ?? before ?? ""),
    ]),
  );
}

function version(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a version, such as 12.");
}
