import { messageOf } from "@proveniq/contracts";
import { knownCell } from "@proveniq/control-plane";
import {
  analyticsReport,
  asidePages,
  type CellOutboxes,
  outboxesOf,
  publishWarehouse,
  queryWarehouse,
  reconcileWarehouse,
  resumeSinks,
} from "@proveniq/control-plane/analytics";
import type { Environment } from "@proveniq/control-plane/environment";
import { Command } from "commander";
import { CommandError, exitCodes } from "../cli/errors.ts";
import { command, shapes } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { reconcileText, reportText, resultTable } from "../output/analytics.ts";
import { palette } from "../output/colour.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";

/** `fleet analytics …`: the one view over all cells, in which nobody can be recognised. */
export function analyticsCommand(output: Output, where: Where): Command {
  return new Command("analytics")
    .description("ask, publish and check the warehouse that every cell sends its anonymous events to")
    .addCommand(queryCommand(output, where))
    .addCommand(reportCommand(output, where))
    .addCommand(publishCommand(output, where))
    .addCommand(reconcileCommand(output, where))
    .addCommand(asideCommand(output, where))
    .addCommand(resumeCommand(output, where));
}

interface AnalyticsOptions {
  json?: boolean;
}

/** The outboxes of every cell that this environment has. */
const outboxes = ({ connections, manifests }: Environment): CellOutboxes[] =>
  outboxesOf(connections, manifests);

const paint = () => palette(process.stdout.isTTY && process.stdout.hasColors());

function analytics(name: string, summary: string, examples: readonly string[], shape: string): Command {
  return command(name, summary, examples).addHelpText("after", shapes(shape));
}

function queryCommand(output: Output, where: Where): Command {
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
      const result = await where.read(({ warehouse }) =>
        queryWarehouse(warehouse.bigquery, sql).catch((error: unknown) => {
          throw new CommandError(messageOf(error));
        }),
      );
      report(output, options.json, result, () => resultTable(result));
    });
}

function reportCommand(output: Output, where: Where): Command {
  return analytics(
    "report",
    "the global view at a glance: items, value, flow, coverage, imports, cells",
    ["fleet analytics report", "fleet analytics report --env production"],
    '{"stock", "buckets", "flow", "coverage", "imports", "cells": [{…}]}',
  ).action(async (options: AnalyticsOptions) => {
    const view = await where.read(({ warehouse }) => analyticsReport(warehouse.bigquery, warehouse.project));
    report(output, options.json, view, () => reportText(view, paint()));
  });
}

function publishCommand(output: Output, where: Where): Command {
  return analytics(
    "publish",
    "let the days that are over cross into the global view, as far as they may",
    ["fleet analytics publish", "fleet analytics publish --open-day"],
    '{"days": ["YYYY-MM-DD"], "groups": number}',
  )
    .option(
      "--open-day",
      "today as well, for trying it out: each time with new noise, so that many give the true sums away",
    )
    .action(async (options: AnalyticsOptions & { openDay?: boolean }) => {
      const openDay = options.openDay === true;
      if (openDay && where.name !== "local") {
        throw new CommandError(
          "--open-day is for a local fleet: nothing may be published twice where people's data is.",
        );
      }
      const change = {
        what: "Publish the days that are over in the global view",
        record: { action: "analytics.publish", target: "analytics", detail: { openDay } },
      };
      const published = await where.mutate(change, ({ warehouse }) =>
        publishWarehouse(warehouse.bigquery, warehouse.project, { openDay }),
      );
      const { days, groups } = published;
      report(output, options.json, published, () =>
        days.length === 0
          ? "Nothing new to publish: days cross when they are over and every cell has sent all of them."
          : `Published ${days.join(", ")}: ${groups} ${groups === 1 ? "group" : "groups"}.`,
      );
    });
}

function reconcileCommand(output: Output, where: Where): Command {
  return analytics(
    "reconcile",
    "compare what every cell delivered with what arrived",
    ["fleet analytics reconcile"],
    '{"cells": [{cell, delivered, arrived, plannedRows, arrivedRows, distinctRows, waiting, setAside, halted, faults}]}',
  )
    .addHelpText("after", "\nExits with 1 unless everything adds up.")
    .action(async (options: AnalyticsOptions) => {
      const cells = await where.read((on) =>
        reconcileWarehouse(on.warehouse.bigquery, on.warehouse.project, outboxes(on)),
      );
      report(output, options.json, { cells }, () => reconcileText(cells, paint()));
      if (cells.some((c) => c.faults.length > 0 || c.halted.length > 0)) process.exitCode = exitCodes.failed;
    });
}

function asideCommand(output: Output, where: Where): Command {
  return analytics(
    "aside",
    "pages that could not be read: list them, or put them back once the reason is gone",
    ["fleet analytics aside", "fleet analytics aside --retry"],
    '{"pages": [{cell, database, name, reason, at}], "retried": number}',
  )
    .option("--retry", "put all of them back into their outboxes")
    .action(async (options: AnalyticsOptions & { retry?: boolean }) => {
      const retry = options.retry === true;
      const list = (on: Environment) => asidePages(outboxes(on), retry);
      const record = { action: "analytics.retry", target: "analytics", detail: {} };
      const pages = await (retry
        ? where.mutate({ what: "Put all pages that were set aside back into their outboxes", record }, list)
        : where.read(list));
      report(output, options.json, { pages, retried: retry ? pages.length : 0 }, () => {
        if (pages.length === 0) return "No page was set aside.";
        const rows = pages.map((p) => [p.cell, p.database, p.name, p.at, p.reason]);
        const lines = table([["CELL", "DATABASE", "PAGE", "SINCE", "REASON"], ...rows]);
        return retry ? `${lines}\n\n${pages.length} put back.` : lines;
      });
    });
}

function resumeCommand(output: Output, where: Where): Command {
  return analytics(
    "resume",
    "let sinks that stopped go on, on new streams, once you know why they stopped",
    ["fleet analytics resume --cell eu"],
    '{"resumed": ["database"]}',
  )
    .requiredOption("--cell <id>", "whose sinks")
    .action(async (options: AnalyticsOptions & { cell: string }) => {
      const { cell } = options;
      knownCell((await where.fleet()).manifests, cell);
      const change = {
        what: `Let the sinks of cell ${cell} that stopped go on`,
        name: cell,
        record: { action: "analytics.resume", target: cell, detail: {} },
      };
      const resumed = await where.mutate(change, async ({ connections, manifests }) => {
        const [own] = outboxesOf(connections, { [cell]: knownCell(manifests, cell) });
        return own === undefined ? [] : resumeSinks(own);
      });
      report(output, options.json, { resumed }, () =>
        resumed.length === 0 ? "None of its sinks had stopped." : `Going on: ${resumed.join(", ")}.`,
      );
    });
}
