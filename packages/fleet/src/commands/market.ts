import { createReadStream } from "node:fs";
import type { Environment } from "@proveniq/control-plane/environment";
import {
  FolderInbox,
  type MarketPublication,
  publishMarket,
  type ReplicaVerdict,
  readValues,
  renewMarket,
  replicasOf,
  type Taken,
  takeMarket,
  verifyMarket,
} from "@proveniq/control-plane/market";
import { Command } from "commander";
import { CommandError, exitCodes } from "../cli/errors.ts";
import { command, shapes, wholeNumber } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";

interface CommonOptions {
  json?: boolean;
}

/** `fleet market …`: what things are worth, from one source into every cell. */
export function marketCommand(output: Output, where: Where): Command {
  return new Command("market")
    .description("publish market values, and verify what the cells hold of them")
    .addCommand(publishCommand(output, where))
    .addCommand(takeCommand(output, where))
    .addCommand(verifyCommand(output, where))
    .addCommand(renewCommand(output, where));
}

function publishCommand(output: Output, where: Where): Command {
  return command("publish", "publish a file of market values; cells have them within two seconds", [
    "fleet market publish examples/market/diamonds.ndjson",
    "node examples/market/main.ts --as-of 2026-12-01 | npx fleet market publish -",
  ])
    .argument("<file>", "one JSON object on each line, or one JSON array; `-` reads standard input")
    .option(
      "--max-withdrawn <percent>",
      "how much of what is published may be missing in the file (default: 20)",
      wholeNumber("a percentage", 0, 100),
    )
    .addHelpText(
      "after",
      "\nThe file is the whole truth: what it does not hold is withdrawn. Only what changed is written, so publishing the " +
        "same file twice writes nothing. A value: " +
        '{"marketKey", "currency", "medianMinor", "p10Minor", "p90Minor", "sampleSize", "asOf"}.',
    )
    .addHelpText(
      "after",
      shapes('{"sequence", "pages", "changed", "withdrawn", "unchanged", "base": its sequence or null}'),
    )
    .action(async (file: string, options: CommonOptions & { maxWithdrawn?: number }) => {
      const limits = options.maxWithdrawn === undefined ? {} : { maxWithdrawnPercent: options.maxWithdrawn };
      const change = {
        what: `Publish the market values of ${file === "-" ? "standard input" : file}`,
        record: { action: "market.publish", target: "market", detail: { file } },
      };
      const published = await where.mutate(change, async ({ connections }) =>
        publishMarket(connections.market, await valuesOf(file), limits),
      );
      report(output, options.json, published, () => told(published));
    });
}

function takeCommand(output: Output, where: Where): Command {
  return command("take", "publish the files of a folder in the order of their names, each once", [
    "fleet market take arrivals",
  ])
    .argument("<folder>", "what was published goes into its `published`, what was refused into `refused`")
    .addHelpText(
      "after",
      "\nIn a cloud a job does the same to a bucket every ten minutes. A refused file is set aside with its reasons beside it, and " +
        "the next is published; exit code 1 then. Killed at any moment, typing it again goes on.",
    )
    .addHelpText(
      "after",
      shapes('[{"name", "outcome": "published" | "known" | "refused" | "gone", "reasons"}]'),
    )
    .action(async (folder: string, options: CommonOptions) => {
      const change = {
        what: `Publish the market values in ${folder}`,
        record: { action: "market.publish", target: "market", detail: { folder } },
      };
      const taken = await where.mutate(change, ({ connections }) =>
        readable(folder, () => takeMarket(new FolderInbox(folder), connections.market)),
      );
      report(output, options.json, taken, () =>
        taken.length === 0 ? `Nothing waits in ${folder}.` : taken.map(lineOf).join("\n"),
      );
      if (taken.some(({ outcome }) => outcome === "refused")) process.exitCode = exitCodes.failed;
    });
}

function lineOf(taken: Taken): string {
  if (taken.outcome === "published") return `${taken.name}: ${told(taken.publication)}`;
  if (taken.outcome === "refused") return `${taken.name}: refused. ${taken.reasons}`;
  return taken.outcome === "known"
    ? `${taken.name}: the same was published before.`
    : `${taken.name}: was taken elsewhere, or written anew.`;
}

const valuesOf = (file: string) =>
  readable(file, () => readValues(file === "-" ? process.stdin : createReadStream(file)));

/** Says of a file or folder that it cannot be read, and why. */
async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Error && "code" in error && "path" in error) {
      throw new CommandError(`${path} cannot be read (${String(error.code)}).`);
    }
    throw error;
  }
}

function told({ sequence, pages, changed, withdrawn, unchanged, base }: MarketPublication): string {
  if (pages === 0)
    return `Nothing has changed: all ${unchanged} values are published already (sequence ${sequence}).`;
  const parts = [`${changed} new or changed`, `${withdrawn} withdrawn`, `${unchanged} as before`];
  const after = base === null ? "" : ` A base generation for newcomers was written at sequence ${base}.`;
  return `Published: ${parts.join(", ")}; ${pages} ${pages === 1 ? "page" : "pages"}, now at sequence ${sequence}.${after}`;
}

function verifyCommand(output: Output, where: Where): Command {
  return command("verify", "compare every cell's market values with what is published", [
    "fleet market verify",
    "fleet market verify --repair",
    "fleet market verify --env production",
  ])
    .option("--repair", "make the buckets that differ right, and only those")
    .addHelpText(
      "after",
      "\nEvery value is compared, through a digest of each of 256 buckets. Exits with 1 unless every cell is equal " +
        "(or was repaired). Cells compare themselves too, a bucket a minute.",
    )
    .addHelpText(
      "after",
      shapes(
        '{"centre": {sequence, values, publishedAt, sound}, "cells": [{cell, verdict, sequence, values, buckets, repaired}]}',
      ),
    )
    .action(async (options: CommonOptions & { repair?: boolean }) => {
      const repair = options.repair === true;
      const verify = ({ connections, manifests }: Environment) =>
        verifyMarket(connections.market.published, replicasOf(connections, manifests), { repair });
      const record = { action: "market.repair", target: "market", detail: {} };
      const verdict = await (repair
        ? where.mutate({ what: "Repair the market values of every cell", record }, verify)
        : where.read(verify));
      const { centre, cells } = verdict;
      report(output, options.json, verdict, () =>
        [
          `Published: ${centre.values} values at sequence ${centre.sequence}, on ${centre.publishedAt}.`,
          ...(centre.sound ? [] : ["The published digests are not those of the published values."]),
          table([
            ["CELL", "VERDICT", "SEQUENCE", "VALUES", "BUCKETS THAT DIFFER", "REPAIRED"],
            ...cells.map((cell) => [
              cell.cell,
              cell.verdict,
              String(cell.sequence ?? "-"),
              String(cell.values ?? "-"),
              cell.buckets.join(" ") || "-",
              String(cell.repaired),
            ]),
          ]),
        ].join("\n"),
      );
      if (!centre.sound || !cells.every(isFine)) process.exitCode = exitCodes.failed;
    });
}

function isFine({ verdict }: ReplicaVerdict): boolean {
  return verdict === "equal" || verdict === "repaired";
}

function renewCommand(output: Output, where: Where): Command {
  return command("renew", "have every cell start again from what is published now", ["fleet market renew"])
    .addHelpText(
      "after",
      "\nFor a centre that was restored from a backup: cells may have pages that it no longer knows, and stop with an " +
        "error that says so. They serve what they have until the new start is complete.",
    )
    .addHelpText("after", shapes('{"lineage", "sequence", "values"}'))
    .action(async (options: CommonOptions) => {
      const change = {
        what: "Have every cell start again from the published market values",
        record: { action: "market.renew", target: "market", detail: {} },
      };
      const { lineage, sequence, values } = await where.mutate(change, ({ connections }) =>
        renewMarket(connections.market),
      );
      report(
        output,
        options.json,
        { lineage, sequence, values },
        () => `Every cell starts again from ${values} values at sequence ${sequence}.`,
      );
    });
}
