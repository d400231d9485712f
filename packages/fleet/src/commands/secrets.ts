import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ProofSecret, proofSecrets, type Residency, residency, writeSecrets } from "@proveniq/contracts";
import { type CommandRunner, runIn } from "@proveniq/control-plane/deploy";
import {
  makeSecret,
  type RotationStep,
  rotated,
  rotationSteps,
  secretCommands,
} from "@proveniq/control-plane/proof";
import { Argument, Command, Option } from "commander";
import { CommandError, exitCodes } from "../cli/errors.ts";
import { command, plainCommand, shapes } from "../cli/options.ts";
import { root } from "../cli/paths.ts";
import { ofThisMachine, type Where } from "../cli/where.ts";
import { readCliConfig } from "../config.ts";
import { type Output, report } from "../output/print.ts";

interface RotateOptions {
  step: RotationStep;
  json?: boolean;
}

const after: Record<RotationStep, string> = {
  add: "The new one is believed where it has arrived. When every router and cell has it: --step switch.",
  switch: "Routers sign with the new one where it has arrived. When every router has it: --step retire.",
  retire: "The former is believed no more where this has arrived.",
};

/** `fleet secrets …`: by which the fleet proves itself to its cells' own hosts. */
export function secretsCommand(output: Output, where: Where): Command {
  return new Command("secrets")
    .description("the secrets by which routers and operators prove themselves to cells' own hosts")
    .addCommand(makeCommand(output))
    .addCommand(rotateCommand(output, where));
}

function makeCommand(output: Output): Command {
  return ofThisMachine(
    plainCommand("make", "print a new secret, as PROOF_SECRETS takes it; stores nothing", [
      "fleet secrets make eu | gcloud secrets versions add fleet-proof-eu --data-file=- --project=proveniq-edge-eu",
    ]),
  )
    .addArgument(residencyArgument())
    .action((of: Residency) => output.out(writeSecrets([makeSecret(of)])));
}

function rotateCommand(output: Output, where: Where): Command {
  return command("rotate", "one of three steps by which the cloud's secret of a residency is replaced", [
    "fleet secrets rotate eu --step add --env production",
    "fleet secrets rotate eu --step switch --env production",
    "fleet secrets rotate eu --step retire --env production",
  ])
    .addArgument(residencyArgument())
    .addOption(new Option("--step <step>", "which one").choices([...rotationSteps]).makeOptionMandatory())
    .addHelpText(
      "after",
      "\nAfter each step every router and cell has to start anew before the next: docs/runbooks/rotate-proof-secrets.md.",
    )
    .addHelpText("after", shapes('{"residency": "…", "step": "…", "signs": id, "believed": [ids]}'))
    .action(async (of: Residency, options: RotateOptions) => {
      if (where.name === "local")
        throw new CommandError(
          "The secrets of this machine's fleet are made anew with each start. Of which cloud are they? --env production",
          exitCodes.usage,
        );
      const { config } = await where.fleet();
      // Where its front door is: a secret stays in its residency.
      const project = of === "global" ? config.central.project : config.edges[of];
      if (project === undefined) throw new CommandError(`infra/fleet.json names no front door of ${of}.`);
      const { step } = options;
      const change = {
        what: `Rotate the secret of residency ${of} in project ${project}, step ${step}`,
        name: of,
        record: { action: `secret.${step}`, target: of, detail: { project } },
      };
      const next = await where.mutate(change, async () => {
        const run = runIn(root, readCliConfig().inherited);
        const secrets = rotated(await readSecrets(run, project, of), of, step);
        await storeSecrets(run, project, of, secrets);
        return secrets;
      });
      const believed = next.map(({ id }) => id);
      const told = { residency: of, step, signs: believed[0], believed };
      report(output, options.json, told, () =>
        [`${of}: ${believed[0]} signs, ${believed.join(" and ")} believed.`, after[step]].join("\n"),
      );
    });
}

const residencyArgument = () => new Argument("<residency>", "whose cells").choices(residency.options);

/** What is stored now; nothing for a store without a version. */
async function readSecrets(
  run: CommandRunner,
  project: string,
  of: Residency,
): Promise<readonly ProofSecret[]> {
  const text = await run(secretCommands.read(project, of)).catch((error: unknown) => {
    if (error instanceof Error && error.message.includes("NOT_FOUND")) return undefined;
    throw error;
  });
  if (text === undefined) return [];
  const parsed = proofSecrets.safeParse(text.trim());
  if (parsed.success) return parsed.data;
  throw new CommandError(`What is stored for ${of} holds no secrets: it ${parsed.error.issues[0]?.message}.`);
}

/** By a file that only we can read: a command line can be read by everybody. */
async function storeSecrets(
  run: CommandRunner,
  project: string,
  of: Residency,
  secrets: readonly ProofSecret[],
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "fleet-secrets-"));
  try {
    const file = join(folder, "value");
    await writeFile(file, writeSecrets(secrets), { mode: 0o600 });
    await run(secretCommands.write(project, of, file));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
