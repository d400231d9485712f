import { join } from "node:path";
import type { CellManifest } from "@proveniq/contracts";
import { addCell, knownCell, type NewCell } from "@proveniq/control-plane";
import { runningState } from "@proveniq/local-cloud/fleet";
import { Command } from "commander";
import { CommandError, exitCodes } from "../cli/errors.ts";
import { command, shapes, wholeNumber } from "../cli/options.ts";
import { root } from "../cli/paths.ts";
import { ofThisMachine, type Where } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";
import { removeCommand } from "./cells-remove.ts";

interface AddOptions extends Omit<NewCell, "id" | "issuer">, Partial<NonNullable<NewCell["issuer"]>> {
  json?: boolean;
}

interface LookOptions {
  json?: boolean;
}

/** `fleet cells …`: the cells as the repository describes them. */
export function cellsCommand(output: Output, where: Where): Command {
  const cells = new Command("cells").description(
    "list, show, add and remove cells (infra/cells/<id>/cell.json)",
  );
  cells.addCommand(listCommand(output, where));
  cells.addCommand(showCommand(output, where));
  cells.addCommand(addCommand(output));
  cells.addCommand(removeCommand(output, where));
  return cells;
}

function summary(id: string, m: CellManifest, url: string | null) {
  const { name, tier, region, residency, project, wave } = m;
  return { id, name, tier, region, residency, project, wave, databases: m.databases.map((d) => d.id), url };
}

function listCommand(output: Output, where: Where): Command {
  return command("list", "every cell, and its URL when a fleet runs here", [
    "fleet cells list",
    "fleet cells list --json | jq -r '.cells[].id'",
  ])
    .addHelpText(
      "after",
      shapes('{"cells": [{id, name, tier, region, residency, project, wave, databases, url}]}'),
    )
    .action(async (options: LookOptions) => {
      const { manifests } = await where.fleet();
      const places = await placesOf(where);
      const cells = Object.entries(manifests).map(([id, m]) => summary(id, m, places(id)));
      report(output, options.json, { cells }, () =>
        table([
          ["CELL", "TIER", "REGION", "RESIDENCY", "PROJECT", "DATABASES", "RUNS AT"],
          ...cells.map((c) => [
            c.id,
            c.tier,
            c.region,
            c.residency,
            c.project,
            c.databases.join(", "),
            c.url ?? "-",
          ]),
        ]),
      );
    });
}

function showCommand(output: Output, where: Where): Command {
  return command("show", "one cell's whole manifest", ["fleet cells show eu", "fleet cells show eu --json"])
    .argument("<id>", "the cell, such as eu")
    .addHelpText("after", shapes('{"id", "file", "manifest", "url"}'))
    .action(async (id: string, options: LookOptions) => {
      const { manifests } = await where.fleet();
      const manifest = knownCell(manifests, id);
      const file = join("infra", "cells", id, "cell.json");
      const url = (await placesOf(where))(id);
      report(output, options.json, { id, file, manifest, url }, () =>
        [`${file}${url === null ? "" : `, runs at ${url}`}`, JSON.stringify(manifest, null, 2)].join("\n"),
      );
    });
}

/** Where a cell runs on this machine; null for one that does not. */
async function placesOf({ name, stateDir }: Where): Promise<(cell: string) => string | null> {
  const running = name === "local" ? await runningState(stateDir) : undefined;
  return (cell) => running?.cells[cell]?.api ?? null;
}

function addCommand(output: Output): Command {
  return ofThisMachine(
    command("add", "write a new cell into the repository; asks no network and starts nothing", [
      "fleet cells add ap --region asia-southeast1 --residency global",
      "fleet cells add nordic --region europe-north1 --residency eu --tier dedicated --issuer https://id.example.eu/realms/nordic --audience nordic --jwks https://id.example.eu/realms/nordic/protocol/openid-connect/certs --jurisdiction eu",
    ]),
  )
    .argument("<id>", "2 to 20 lower-case letters, digits or hyphens; becomes part of cloud names")
    .requiredOption("--region <region>", "where its functions run, such as europe-west1")
    .requiredOption("--residency <eu|us|global>", "the promise made to its tenants about where data is")
    .option("--tier <tier>", "consumer, region or dedicated (default: region)")
    .option("--name <name>", "for people (default: Cell <id>)")
    .option("--project <project>", "Google Cloud project (default: proveniq-prod-<id>)")
    .option("--database <id>", "its first database (default: <id>-main)")
    .option("--location <location>", "where its databases are, such as eur3 (default: its region)")
    .option("--wave <n>", "in which wave a release reaches it (default: 1)", wholeNumber("a number", 0, 9))
    .option(
      "--issuer <url>",
      "who signs its people in (default: Firebase Authentication; an EU cell has no default)",
    )
    .option("--audience <text>", "the exact `aud` of the issuer's tokens")
    .option("--jwks <url>", "where the issuer's public keys are")
    .option("--jurisdiction <eu|us|other>", "where the issuer processes people's identities")
    .option("--algorithm <RS256|ES256>", "the one by which it signs (default: RS256)")
    .addHelpText("after", "\nAn issuer of your own, in the EU: docs/runbooks/own-issuer.md.")
    .addHelpText("after", shapes('{"id", "manifest", "files": ["infra/cells/…", …]}'))
    .action(async (id: string, options: AddOptions) => {
      const { json, issuer, audience, jwks, jurisdiction, algorithm, ...wanted } = options;
      const missing = Object.entries({ issuer, audience, jwks, jurisdiction }).flatMap(([name, value]) =>
        value === undefined ? [`--${name}`] : [],
      );
      if (missing.length > 0 && (missing.length < 4 || algorithm !== undefined))
        throw new CommandError(`An issuer also needs ${missing.join(", ")}.`, exitCodes.usage);
      const signs =
        issuer === undefined || audience === undefined || jwks === undefined || jurisdiction === undefined
          ? {}
          : {
              issuer: {
                issuer,
                audience,
                jwks,
                jurisdiction,
                ...(algorithm === undefined ? {} : { algorithm }),
              },
            };
      const added = await addCell(root, { id, ...wanted, ...signs });
      report(output, json, added, () =>
        [
          `Added cell ${id}:`,
          ...added.files.map((file) => `  ${file}`),
          "Look it over, commit it, and start the fleet again: `npm start` runs it as well.",
        ].join("\n"),
      );
    });
}
