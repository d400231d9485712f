import { messageOf } from "@proveniq/contracts";
import { knownCell, type Manifests } from "@proveniq/control-plane";
import { deployCell, order, rollOut } from "@proveniq/control-plane/deploy";
import { dayOf, identityFaults } from "@proveniq/control-plane/residency";
import { playCanary } from "@proveniq/local-cloud/fleet";
import { type Command, Option } from "commander";
import { artefactFor } from "../cli/artefact.ts";
import { type BakeOptions, bakeOf, bakeSeconds, untilInterrupted } from "../cli/deploys.ts";
import { parseDuration } from "../cli/duration.ts";
import { CommandError, exitCodes } from "../cli/errors.ts";
import { command, shapes } from "../cli/options.ts";
import { root } from "../cli/paths.ts";
import { namedByTurbo } from "../cli/turbo.ts";
import type { Where } from "../cli/where.ts";
import { eventLine, planText, rolloutText, timeline } from "../output/deploys.ts";
import { type Output, report } from "../output/print.ts";

interface DeployOptions extends BakeOptions {
  waves?: boolean;
  status?: boolean;
  trial?: boolean;
  plan?: boolean;
  artefact?: string;
  abandon?: boolean;
  canary: boolean;
  json?: boolean;
}

/** `fleet deploy …`: an artefact into one cell, or into all of them wave by wave. */
export function deployCommand(output: Output, where: Where): Command {
  return command(
    "deploy",
    "deploy to a cell, watch it, and roll back automatically if it becomes unhealthy",
    [
      "fleet deploy eu",
      "fleet deploy --waves --bake 5m",
      "fleet deploy eu --env production --plan",
      "fleet deploy eu --env production --confirm eu --artefact .artefacts/<digest>",
      "fleet deploy --status",
    ],
  )
    .argument("[cell]", "the cell's id; left out with --waves and --status")
    .option("--waves", "every cell, one at a time: a synthetic one first, then by the manifests' wave")
    .option("--trial", "only the synthetic cell, made on this machine and thrown away; touches no other")
    .option("--status", "what each cell runs, the rollout that was begun last, and the last deploys")
    .option("--plan", "print exactly what would be run, and run none of it; needs no credentials")
    .option(
      "--artefact <folder>",
      "a folder that `fleet pack` made (default: what the repository holds, built)",
    )
    .addOption(
      new Option(
        "--bake <time>",
        "how long to watch each cell; 0 for not at all (default: 20s, in the cloud 10m)",
      ).argParser(bakeSeconds),
    )
    .addOption(
      new Option(
        "--window <time>",
        "in which portions it is judged (default: 10s, in the cloud 60s)",
      ).argParser(parseDuration),
    )
    .option("--no-canary", "waves: leave out the synthetic cell")
    .option("--abandon", "waves: forget a rollout of another artefact that has not ended")
    .addHelpText(
      "after",
      "\nUpload, apply, a canary tenant's write and read through the edge, then the watch: errors, latency and health, against" +
        "\nwhat they were in this cell before. No data counts as ill. A deploy or rollout whose process died is taken up by" +
        "\nmaking it again. Exit code 1: it did not end well, and the cell runs what it ran before.",
    )
    .addHelpText(
      "after",
      shapes(
        '{"id", "cell", "outcome": "done" | "rolled-back" | "failed", "reason", "serving": {digest, commit}}; --waves: the rollout {outcome, canary, cells: [{cellId, wave, state}]}; --trial: {digest, passed, reason}',
      ),
    )
    .action(async (cell: string | undefined, options: DeployOptions) => {
      const modes = [cell !== undefined, options.waves, options.trial, options.status];
      if (modes.filter((mode) => mode === true).length !== 1)
        throw new CommandError(
          "Say what to deploy: a cell's id, or --waves; or --trial to try it in no cell at all, or --status to look.",
          exitCodes.usage,
        );
      if (options.trial === true) return trial(output, options);
      if (options.status === true) return showStatus(output, where, options);
      if (options.plan === true) return showPlan(output, where, cell, options);
      return cell === undefined ? waves(output, where, options) : one(output, where, cell, options);
    });
}

async function trial(output: Output, options: DeployOptions): Promise<void> {
  const interrupted = untilInterrupted(() => output.err("Interrupted: throwing the synthetic cell away."));
  const artefact = await artefactFor(options.artefact);
  output.err(`Trying ${artefact.digest} in a cell of its own; half a minute or so`);
  const reason = await playCanary(root, artefact, interrupted.signal)
    .then(() => null)
    .catch((error: unknown) => messageOf(error))
    .finally(() => interrupted.done());
  const { digest } = artefact;
  report(output, options.json, { digest, passed: reason === null, reason }, () =>
    reason === null ? `${digest} may go further.` : `${digest} must not go further: ${reason}`,
  );
  process.exitCode = reason === null ? exitCodes.done : exitCodes.failed;
}

/** Nothing goes into a cell whose people are signed in outside of its residency. */
function identitiesInside(manifests: Manifests, cells: readonly string[]): void {
  const faults = cells.flatMap((id) => identityFaults(id, knownCell(manifests, id), dayOf(new Date())));
  if (faults.length > 0) throw new CommandError(`Nothing is deployed:\n  ${faults.join("\n  ")}`);
}

async function one(output: Output, where: Where, cell: string, options: DeployOptions): Promise<void> {
  const { manifests } = await where.fleet();
  knownCell(manifests, cell);
  identitiesInside(manifests, [cell]);
  const typed = await namedByTurbo(cell);
  const interrupted = untilInterrupted((text) => output.err(text));
  const change = { what: `Deploy to cell ${cell}`, name: cell, typed };
  const end = await where
    .mutate(change, async (on, origin) =>
      deployCell({
        target: on.deploys,
        book: on.connections.deploys,
        cell,
        artefact: await artefactFor(options.artefact),
        bake: bakeOf(options, on),
        origin,
        report: (event) => output.err(eventLine(event)),
        signal: interrupted.signal,
      }),
    )
    .finally(() => interrupted.done());
  report(output, options.json, end, () =>
    end.outcome === "done"
      ? `Cell ${cell} runs ${end.serving?.digest ?? ""}.`
      : `Cell ${cell}: ${end.outcome}. ${end.reason ?? ""}`,
  );
  process.exitCode = end.outcome === "done" ? exitCodes.done : exitCodes.failed;
}

async function waves(output: Output, where: Where, options: DeployOptions): Promise<void> {
  const { manifests } = await where.fleet();
  const cells = order(manifests).map(({ cellId }) => cellId);
  identitiesInside(manifests, cells);
  const interrupted = untilInterrupted((text) => output.err(text));
  const change = { what: `Deploy to ${cells.join(", ")}`, name: cells.join(",") };
  const record = await where
    .mutate(change, async (on, origin) =>
      rollOut({
        target: on.deploys,
        book: on.connections.deploys,
        manifests: on.manifests,
        artefact: await artefactFor(options.artefact),
        bake: bakeOf(options, on),
        origin,
        canary: options.canary ? (packed, signal) => playCanary(root, packed, signal) : undefined,
        abandon: options.abandon === true,
        report: (event) => output.err(eventLine(event)),
        signal: interrupted.signal,
      }),
    )
    .finally(() => interrupted.done());
  report(output, options.json, record, () => rolloutText(record));
  process.exitCode = record.outcome === "done" ? exitCodes.done : exitCodes.failed;
}

async function showStatus(output: Output, where: Where, options: DeployOptions): Promise<void> {
  const told = await where.read(async ({ connections, deploys: target, manifests }) => {
    const book = connections.deploys;
    const [rollout, deploys, cells] = await Promise.all([
      book.latestRollout(),
      book.recent(10),
      Promise.all(
        Object.keys(manifests).map(async (id) => {
          const { serving, previous, deployId } = await book.cell(id);
          const running = await target.current(id).catch(() => undefined);
          return {
            cell: id,
            running: running ?? null,
            recorded: serving ?? null,
            previous: previous ?? null,
            deployId: deployId ?? null,
          };
        }),
      ),
    ]);
    return { target: target.name, cells, rollout: rollout ?? null, deploys };
  });
  report(output, options.json, told, () => timeline(told));
}

async function showPlan(
  output: Output,
  where: Where,
  cell: string | undefined,
  options: DeployOptions,
): Promise<void> {
  const { manifests } = await where.fleet();
  if (cell !== undefined) knownCell(manifests, cell);
  identitiesInside(manifests, cell === undefined ? Object.keys(manifests) : [cell]);
  const artefact = await artefactFor(options.artefact);
  const plan = await where.look(async (on) => planText(on, artefact, cell, bakeOf(options, on)));
  report(output, options.json, plan, () => plan.lines.join("\n"));
}
