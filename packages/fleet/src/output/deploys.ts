import type { ArtefactRef, DeployRecord, RolloutRecord } from "@proveniq/contracts";
import type { Packed } from "@proveniq/control-plane/artefact";
import { type Bake, canaryTenant, type DeployEvent, order, tell } from "@proveniq/control-plane/deploy";
import type { Environment } from "@proveniq/control-plane/environment";
import { table } from "./table.ts";

const clock = (at: string) => at.slice(11, 19);
const short = (artefact: ArtefactRef | null) => artefact?.digest.slice(0, 12) ?? "-";

/** One line of a deploy under way. */
export function eventLine({ at, cell, step, text }: DeployEvent): string {
  return `${clock(at)} ${cell.padEnd(14)} ${step.padEnd(9)} ${text}`;
}

/** How a rollout ended. */
export function rolloutText({ outcome, artefact, reason, cells }: RolloutRecord): string {
  const head =
    outcome === "done"
      ? `Every cell runs ${artefact.digest}.`
      : `The rollout of ${artefact.digest.slice(0, 12)} ${outcome === "running" ? "has not ended" : `stopped: ${reason ?? ""}`}`;
  return `${head}\n${tell({ cells })}`;
}

interface Told {
  target: string;
  cells: {
    cell: string;
    running: ArtefactRef | null;
    recorded: ArtefactRef | null;
    previous: ArtefactRef | null;
    deployId: string | null;
  }[];
  rollout: RolloutRecord | null;
  deploys: DeployRecord[];
}

/** What each cell runs, and what happened when. */
export function timeline({ target, cells, rollout, deploys }: Told): string {
  const lines = [
    target,
    "",
    table([
      ["CELL", "RUNS", "COMMIT", "BEFORE", ""],
      ...cells.map(({ cell, running, recorded, previous, deployId }) => [
        cell,
        short(running),
        running?.commit.slice(0, 12) ?? "-",
        short(previous),
        noteOn({ cell, running, recorded, deployId }),
      ]),
    ]),
  ];
  if (rollout !== null) {
    const { startedAt, who, canary } = rollout;
    lines.push("", `Rollout of ${startedAt} by ${who}; canary ${canary}`, rolloutText(rollout));
  }
  for (const { cellId, startedAt, outcome, reason, who, artefact, timeline: steps } of deploys.toReversed()) {
    lines.push(
      "",
      `${startedAt} ${cellId} ${short(artefact)} by ${who}: ${outcome}${reason === undefined ? "" : `, ${reason}`}`,
    );
    for (const { at, step, text } of steps) lines.push(`  ${clock(at)} ${step.padEnd(9)} ${text}`);
  }
  if (deploys.length === 0) lines.push("", "Nothing was deployed yet.");
  return lines.join("\n");
}

function noteOn({ cell, running, recorded, deployId }: Omit<Told["cells"][number], "previous">): string {
  if (deployId !== null) return "a deploy is under way, or its process died";
  if (running === null) return "it does not answer";
  if (recorded !== null && recorded.digest !== running.digest)
    return `recorded is ${short(recorded)}: npx fleet deploy ${cell}`;
  return "";
}

/** Every command and request that a deploy would make, in order; nothing of it is made. Pure. */
export function planText(
  { name, manifests, deploys }: Environment,
  artefact: Packed,
  cell: string | undefined,
  bake: Bake,
): { environment: string; cells: string[]; digest: string; lines: string[] } {
  const cells = cell === undefined ? order(manifests).map(({ cellId }) => cellId) : [cell];
  const lines = [
    `# artefact ${artefact.digest} of commit ${artefact.commit}${artefact.modified ? " and uncommitted changes" : ""}`,
  ];
  if (cell === undefined) lines.push("# first a synthetic cell on this machine, thrown away afterwards");
  for (const id of cells) {
    const { commands, afterwards } = deploys.plan(id, artefact);
    const items = `/t/${canaryTenant(id)}/v1/items`;
    lines.push(
      "",
      `# cell ${id}`,
      ...commands,
      `# through the edge, as ${canaryTenant(id)}: GET /t/${canaryTenant(id)}/v1/cell shows ${artefact.digest.slice(0, 12)}; POST, GET and DELETE ${items}`,
      bake.seconds === 0
        ? "# not watched"
        : `# watched for ${bake.seconds} s in windows of ${bake.windowSeconds} s, against ${bake.windowSeconds} s before; worse: the former version again`,
      ...afterwards,
    );
  }
  return { environment: name, cells, digest: artefact.digest, lines };
}
