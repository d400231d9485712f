import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Residency, residency } from "@proveniq/contracts";
import { loadFleet } from "@proveniq/control-plane";
import { initialised, runSteps, statesToDestroy, stepsOf } from "@proveniq/control-plane/cloud";
import { Command, InvalidArgumentError } from "commander";
import { type CloudOptions, openCloud } from "../cli/cloud.ts";
import { CommandError, exitCodes } from "../cli/errors.ts";
import { command, list, shapes } from "../cli/options.ts";
import type { Where } from "../cli/where.ts";
import { type Output, report } from "../output/print.ts";
import { table } from "../output/table.ts";

/** `fleet cloud …`: makes the cloud that an environment is in, and takes it away. */
export function cloudCommand(output: Output, where: Where): Command {
  return new Command("cloud")
    .description("bring up the cloud of an environment, from an empty organisation")
    .addCommand(initCommand(output, where))
    .addCommand(bootstrapCommand(output, where))
    .addCommand(destroyCommand(output, where));
}

interface InitOptions {
  organisation: string;
  billingAccount: string;
  repository: string;
  domain: string;
  residencies: string[];
  suffix?: string;
  json?: boolean;
}

function initCommand(output: Output, where: Where): Command {
  return command("init", "write into infra/fleet.json what a cloud is made from, and nothing else", [
    "fleet cloud init --env staging --organisation 123456789012 --billing-account 01AB23-CD45EF-678901 --domain proveniq-staging.io --residencies global,eu --repository proveniq/cells",
  ])
    .requiredOption("--organisation <number>", "gcloud organizations list")
    .requiredOption("--billing-account <id>", "gcloud billing accounts list")
    .requiredOption("--domain <domain>", "a domain that you can delegate")
    .requiredOption("--residencies <names>", "where people are promised to be, with commas", list)
    .requiredOption("--repository <owner/name>", "whose workflows may deploy")
    .option("--suffix <suffix>", "of staging: behind the id of each project, such as -stg")
    .addHelpText("after", shapes('{"environment", "file"}'))
    .action(async (options: InitOptions) => {
      const { name } = where;
      if (name === "local") throw new CommandError("Which cloud? --env production", exitCodes.usage);
      const { infra } = where;
      const file = join(infra, "fleet.json");
      const residencies = options.residencies.map(parseResidency);
      const text = await readFile(file, "utf8");
      const next = initialised(text, await loadFleet(infra), { ...options, residencies, name });
      await where.confirm(`Write ${name} into infra/fleet.json`);
      await writeFile(`${file}.next`, next);
      await rename(`${file}.next`, file);
      report(output, options.json, { environment: name, file }, () =>
        [
          `infra/fleet.json names the cloud of ${name}. Look at it, commit it, then:`,
          `  npx fleet doctor --env ${name}`,
          `  npx fleet cloud bootstrap --env ${name}`,
        ].join("\n"),
      );
    });
}

function parseResidency(text: string): Residency {
  const parsed = residency.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`${text} is no residency: ${residency.options.join(", ")}.`);
}

function bootstrapCommand(output: Output, where: Where): Command {
  return command(
    "bootstrap",
    "from an organisation to front doors; each step looks whether it is done, so run it again whenever it ended",
    [
      "fleet cloud bootstrap --env staging",
      "fleet cloud bootstrap --env staging --artefact artefact/DIGEST --images images",
    ],
  )
    .option("--artefact <folder>", "what `fleet pack` made (default: what the repository holds now)")
    .option("--images <folder>", "what `npm run images` made (default: .artefacts/images)")
    .addHelpText("after", "\nWhat serves already stays as it is: `fleet deploy` brings another version.")
    .addHelpText("after", "Exit code 1 while anything waits for a person or has failed.")
    .addHelpText("after", shapes('{"done", "steps": [{name, ended, note}]}'))
    .action(async (options: CloudOptions & { json?: boolean }) => {
      const cloud = await openCloud(where, options);
      const { config } = cloud.fleet;
      await where.confirm(
        `Bring up ${where.name}: projects of organisation ${cloud.account.organisation}, paid by ${cloud.account.billingAccount}, in ${config.zone}`,
      );
      const steps = await runSteps(stepsOf(cloud), (line) => output.err(line));
      const open = steps.filter((s) => s.ended !== "done" && s.ended !== "was done");
      const done = open.every((s) => s.ended === "left out");
      report(output, options.json, { done, steps }, () =>
        done
          ? `${config.zone} has its front doors. What serves tenants comes next: docs/cloud.md, "Serving".`
          : [
              table(open.map(({ name, ended }) => [ended, name])),
              ...open.flatMap(({ name, note }) => (note === undefined ? [] : [`\n${name}: ${note}`])),
              `\nThen again: npx fleet cloud bootstrap${where.suffix}`,
            ].join("\n"),
      );
      if (!done) process.exitCode = exitCodes.failed;
    });
}

function destroyCommand(output: Output, where: Where): Command {
  return command("destroy", "take staging's states away again, the last made first; never production", [
    "fleet cloud destroy --env staging",
  ])
    .addHelpText(
      "after",
      "\nWhat is protected against deletion stays, and is named. The projects themselves: gcloud projects delete.",
    )
    .addHelpText("after", shapes('{"destroyed": [states]}'))
    .action(async (options: { json?: boolean }) => {
      if (where.name !== "staging")
        throw new CommandError(`Only staging can be destroyed, and not ${where.name}.`, exitCodes.usage);
      const cloud = await openCloud(where, {});
      await where.confirm(`Destroy ${where.name}, in ${cloud.fleet.config.zone}, with all its data`);
      const destroyed: string[] = [];
      for (const state of await statesToDestroy(cloud)) {
        output.err(`destroying ${state.prefix}`);
        await cloud.states.destroy(state);
        destroyed.push(state.prefix);
      }
      report(output, options.json, { destroyed }, () => `Destroyed: ${destroyed.join(", ")}.`);
    });
}
