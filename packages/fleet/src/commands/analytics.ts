import {
  analyticsReport,
  asidePages,
  publishWarehouse,
  queryWarehouse,
  reconcileWarehouse,
  resumeSinks,
} from "@proveniq/control-plane/analytics";
import { Command, Option } from "commander";
import { type AnalyticsOptions, warehouseOf, withOutboxes } from "../cli/analytics.ts";
import { CommandError, exitCodes } from "../cli/errors.ts";
import { command, jsonOption, shapes, stateDirOption } from "../cli/options.ts";
import { reconcileText, reportText, resultTable } from "../output/analytics.ts";
import { palette } from "../output/colour.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";

/** `fleet analytics …`: the one view over all cells, in which nobody can be recognised. */
export function analyticsCommand(output: Output): Command {
  return new Command("analytics")
    .description("ask, publish and check the warehouse that every cell sends its anonymous events to")
    .addCommand(queryCommand(output))
    .addCommand(reportCommand(output))
    .addCommand(publishCommand(output))
    .addCommand(reconcileCommand(output))
    .addCommand(asideCommand(output))
    .addCommand(resumeCommand(output));
}

const projectOption = () =>
  new Option(
    "--project <id>",
    "BigQuery itself, in this Google Cloud project (default: the local fleet's stand-in)",
  );

const paint = () => palette(process.stdout.isTTY && process.stdout.hasColors());

function analytics(name: string, summary: string, examples: readonly string[], shape: string): Command {
  return command(name, summary, examples)
    .addHelpText("after", shapes(shape))
    .addOption(projectOption())
    .addOption(jsonOption())
    .addOption(stateDirOption());
}

function queryCommand(output: Output): Command {
  return analytics(
    "query",
    "run GoogleSQL and print the result",
    [
      'fleet analytics query "SELECT day, SUM(items_net) AS items FROM published.daily GROUP BY day ORDER BY day"',
      'fleet analytics query "SELECT * FROM raw_eu.deliveries" --json',
    ],
    '{"columns": ["…"], "rows": [["…"]]}',
  )
    .argument("<sql>", "one SELECT; docs/data-dictionary.md lists tables and columns")
    .action(async (sql: string, options: AnalyticsOptions) => {
      const { bigquery } = await warehouseOf(options);
      const result = await queryWarehouse(bigquery, sql).catch((error: unknown) => {
        throw new CommandError(error instanceof Error ? error.message : String(error));
      });
      report(output, options.json, result, () => resultTable(result));
    });
}

function reportCommand(output: Output): Command {
  return analytics(
    "report",
    "the global view at a glance: items, value, flow, coverage, imports, cells",
    ["fleet analytics report", "fleet analytics report --project proveniq-central"],
    '{"stock", "buckets", "flow", "coverage", "imports", "cells": [{…}]}',
  ).action(async (options: AnalyticsOptions) => {
    const { bigquery, project } = await warehouseOf(options);
    const view = await analyticsReport(bigquery, project);
    report(output, options.json, view, () => reportText(view, paint()));
  });
}

function publishCommand(output: Output): Command {
  return analytics(
    "publish",
    "let the days that are over cross into the global view, as far as they may",
    ["fleet analytics publish", "fleet analytics publish --open-day"],
    '{"days": ["YYYY-MM-DD"], "groups": number}',
  )
    .option(
      "--open-day",
      "today as well, for trying it out: two versions of one day can be compared, and differ by what few people did",
    )
    .action(async (options: AnalyticsOptions & { openDay?: boolean }) => {
      if (options.openDay === true && options.project !== undefined) {
        throw new CommandError(
          "--open-day is for a local fleet: nothing may be published twice where people's data is.",
        );
      }
      const { bigquery, project } = await warehouseOf(options);
      const published = await publishWarehouse(bigquery, project, { openDay: options.openDay === true });
      const { days, groups } = published;
      report(output, options.json, published, () =>
        days.length === 0
          ? "Nothing new to publish: days cross when they are over and every cell has sent all of them."
          : `Published ${days.join(", ")}: ${groups} ${groups === 1 ? "group" : "groups"}.`,
      );
    });
}

function reconcileCommand(output: Output): Command {
  return analytics(
    "reconcile",
    "compare what every cell delivered with what arrived",
    ["fleet analytics reconcile"],
    '{"cells": [{cell, delivered, arrived, plannedRows, arrivedRows, distinctRows, waiting, setAside, halted, faults}]}',
  )
    .addHelpText("after", "\nExits with 1 unless everything adds up.")
    .action(async (options: AnalyticsOptions) => {
      const { bigquery, project } = await warehouseOf(options);
      const cells = await withOutboxes(options, (all) => reconcileWarehouse(bigquery, project, all));
      report(output, options.json, { cells }, () => reconcileText(cells, paint()));
      if (cells.some((c) => c.faults.length > 0 || c.halted.length > 0)) process.exitCode = exitCodes.failed;
    });
}

function asideCommand(output: Output): Command {
  return analytics(
    "aside",
    "pages that could not be read: list them, or put them back once the reason is gone",
    ["fleet analytics aside", "fleet analytics aside --retry"],
    '{"pages": [{cell, database, name, reason, at}], "retried": number}',
  )
    .option("--retry", "put all of them back into their outboxes")
    .action(async (options: AnalyticsOptions & { retry?: boolean }) => {
      const retry = options.retry === true;
      const pages = await withOutboxes(options, (cells) => asidePages(cells, retry));
      report(output, options.json, { pages, retried: retry ? pages.length : 0 }, () => {
        if (pages.length === 0) return "No page was set aside.";
        const rows = pages.map((p) => [p.cell, p.database, p.name, p.at, p.reason]);
        const list = table([["CELL", "DATABASE", "PAGE", "SINCE", "REASON"], ...rows]);
        return retry ? `${list}\n\n${pages.length} put back.` : list;
      });
    });
}

function resumeCommand(output: Output): Command {
  return analytics(
    "resume",
    "let sinks that stopped go on, on new streams, once you know why they stopped",
    ["fleet analytics resume --cell eu"],
    '{"resumed": ["database"]}',
  )
    .requiredOption("--cell <id>", "whose sinks")
    .action(async (options: AnalyticsOptions & { cell: string }) => {
      const resumed = await withOutboxes(options, async (cells) => {
        const wanted = cells.find((c) => c.cell === options.cell);
        if (wanted === undefined) throw new CommandError(`There is no cell "${options.cell}".`);
        return resumeSinks(wanted);
      });
      report(output, options.json, { resumed }, () =>
        resumed.length === 0 ? "None of its sinks had stopped." : `Going on: ${resumed.join(", ")}.`,
      );
    });
}
