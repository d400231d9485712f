import { resolve } from "node:path";
import { Command, Option } from "commander";
import { CommandError, exitCodes } from "../cli/errors.ts";
import { command, shapes } from "../cli/options.ts";
import { onThisMachine, type Where } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";
import { explainRoute, type Plane, planes } from "../route/explain.ts";
import { requestOf } from "../route/request.ts";

interface ExplainOptions {
  header?: string[];
  directory?: string;
  plane: Plane;
  urlMap?: string;
  json?: boolean;
}

/** `fleet route …`: how requests find their cell. */
export function routeCommand(output: Output, where: Where): Command {
  return new Command("route")
    .description("explain how a request finds its cell")
    .addCommand(explainCommand(output, where));
}

function explainCommand(output: Output, where: Where): Command {
  return command(
    "explain",
    "each step of the decision for one request, and the rule that decided; sends nothing",
    [
      "fleet route explain http://localhost:8080/v1/items -H 'x-tenant-id: carrier-a'",
      "fleet route explain https://eu.proveniq.io/t/atelier-nord/v1/imports --directory directory.json",
      "fleet route explain https://api.proveniq.io/v1/imports --directory directory.json --plane edge",
      "terraform -chdir=infra/terraform/roots/edge show -json > edge.json && fleet route explain https://api.proveniq.io/v1/items --plane url-map --url-map edge.json",
    ],
  )
    .argument("<url>", "as the client would call it; nothing in it is tidied up")
    .option(
      "-H, --header <header>",
      "a header as 'name: value'; may be given several times. Read are Host, X-Tenant-ID and Authorization",
      (header: string, before: string[] | undefined) => [...(before ?? []), header],
    )
    .option("--directory <file>", "a snapshot (default: what the router of the fleet that runs here reads)")
    .addOption(new Option("--plane <plane>", "where it is decided").choices(planes).default("router"))
    .option("--url-map <file>", "for --plane url-map: what `terraform show -json` prints of a root `edge`")
    .addHelpText(
      "after",
      "\nCredentials are not verified and not printed. What a router has learnt from a cell's 421 since the last publication" +
        "\nis in its memory only, and not seen here.",
    )
    .addHelpText(
      "after",
      shapes(
        '{plane, rule, directoryVersion, epoch, decision: {kind: "route" or "reject", …}, steps: [{step, finding}]}',
      ),
    )
    .action(async (url: string, options: ExplainOptions) => {
      if ((options.plane === "url-map") !== (options.urlMap !== undefined))
        throw new CommandError("--plane url-map and --url-map FILE go together.", exitCodes.usage);
      const request = requestOf(url, options.header ?? []);
      const file = options.directory === undefined ? await directoryOf(where) : resolve(options.directory);
      const explained = await explainRoute(request, file, options.plane, options.urlMap);
      const { rule, directoryVersion, epoch, steps } = explained;
      report(output, options.json, explained, () =>
        [
          table(steps.map(({ step, finding }) => [step, finding])),
          `Decided by the rule ${rule}, directory version ${directoryVersion}${epoch === null ? "" : `, epoch ${epoch}`}.`,
        ].join("\n"),
      );
    });
}

/** The file that this machine's router reads. */
async function directoryOf(where: Where): Promise<string> {
  const { name } = where;
  if (name !== "local")
    throw new CommandError(`Name a snapshot of the directory of ${name}: --directory FILE.`, exitCodes.usage);
  return onThisMachine(where, async ({ state }) => state.directoryFile);
}
