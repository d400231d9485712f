import { type ArtefactRef, type DeployRecord, messageOf } from "@proveniq/contracts";
import type { DeployBook, Origin } from "@proveniq/db/control";
import { LeaseLost } from "@proveniq/db/lease";
import type { Packed } from "../artefact/index.ts";
import { RefusedError } from "../refused.ts";
import { checkCanary, smoke } from "./canary.ts";
import { describeObserved, regression } from "./gate.ts";
import { DeploySession } from "./session.ts";
import { observeAsked } from "./trial.ts";
import type { Bake, CanaryAccess, DeployEvent, DeployTarget, Observed } from "./types.ts";

export interface DeployRequest {
  target: DeployTarget;
  book: DeployBook;
  cell: string;
  /** A packed one is uploaded; of one that was uploaded before, its name is enough. */
  artefact: Packed | ArtefactRef;
  bake: Bake;
  origin: Origin;
  rolloutId?: string;
  /** It goes back to this: what it replaces is no version to go back to any more. */
  back?: boolean;
  report: (event: DeployEvent) => void;
  /** Somebody wants it to end: what was begun is put back. */
  signal: AbortSignal;
}

/** How a deploy ended; it never leaves a cell between two versions. */
export interface DeployEnd {
  id: string;
  cell: string;
  outcome: Exclude<DeployRecord["outcome"], "running" | "abandoned">;
  /** Why it did not end well. */
  reason?: string;
  serving: ArtefactRef | undefined;
}

/**
 * Put an artefact into one cell: upload, apply, try it through the edge as the cell's canary tenant, watch it against what it
 * was before, and put the former one back when any of that goes wrong. Every step does nothing when it is done already, so a
 * deploy whose process died is simply made again. Throws `LeaseHeld` while another deploys the cell, and nothing else has
 * happened then.
 */
export async function deployCell(request: DeployRequest): Promise<DeployEnd> {
  const { target, book, cell, origin, rolloutId } = request;
  const artefact = refOf(request.artefact);
  const session = await DeploySession.begin(
    book,
    { cellId: cell, target: target.name, artefact, rolloutId },
    origin,
    request.report,
  );
  try {
    return await run(session, request, artefact);
  } finally {
    await session.leave();
  }
}

async function run(
  session: DeploySession,
  request: DeployRequest,
  artefact: ArtefactRef,
): Promise<DeployEnd> {
  const { target, cell, bake } = request;
  const { id } = session.record;
  const signal = AbortSignal.any([request.signal, session.lost]);
  let previous: ArtefactRef | undefined;
  let touched = false;
  try {
    const now = await target.current(cell);
    previous = session.before.serving ?? now;
    await session.say(
      "begin",
      beginning(artefact, now, previous),
      previous === undefined ? {} : { previous },
    );
    if ("folder" in request.artefact) {
      await target.upload(request.artefact);
      await session.say("upload", `${request.artefact.zipBytes} bytes, ${artefact.zipSha256.slice(0, 12)}`);
    }
    const access = await target.canary(cell);
    await checkCanary(access, signal);
    // One that runs already is on trial, and says nothing about what was before it.
    const known =
      now?.digest === artefact.digest ? undefined : await baseline(session, request, access, signal);
    signal.throwIfAborted();
    touched = now?.digest !== artefact.digest;
    if (touched) await session.say("apply", "putting it in place");
    await target.apply(cell, artefact);
    touched = true;
    await session.say("smoke", "trying it through the edge");
    await smoke(access, artefact.digest, target.settlesWithinSeconds, signal);
    await watch(session, request, access, known, signal);
    await session.say("settle", "letting go of the former version");
    await target.settle(cell);
  } catch (error) {
    if (error instanceof LeaseLost || session.lost.aborted) throw error;
    const reason = request.signal.aborted ? "it was interrupted" : messageOf(error);
    return putBack(session, request, { touched, previous, reason, artefact });
  }
  await session.say("end", bake.seconds === 0 ? "done, not watched" : "done");
  await session.end("done", { serving: artefact, back: request.back === true });
  return { id, cell, outcome: "done", serving: artefact };
}

/** How the cell is before it is touched. That it is ill is no reason not to deploy: that may be the cure. */
async function baseline(
  session: DeploySession,
  { target, cell, bake }: DeployRequest,
  access: CanaryAccess,
  signal: AbortSignal,
): Promise<Observed | undefined> {
  if (bake.seconds === 0) return undefined;
  await session.say("baseline", `watching the cell as it is for ${bake.windowSeconds} s`);
  const seen = await observeAsked(target, cell, access, bake.windowSeconds, signal).catch(() => undefined);
  await session.say("baseline", seen === undefined ? "nothing can be said about it" : describeObserved(seen));
  return seen;
}

/** Judge the cell, window by window, until the time is over. Throws the reason when it is worse than it was. */
async function watch(
  session: DeploySession,
  { target, cell, bake }: DeployRequest,
  access: CanaryAccess,
  before: Observed | undefined,
  signal: AbortSignal,
): Promise<void> {
  const windows = bake.seconds === 0 ? 0 : Math.max(1, Math.round(bake.seconds / bake.windowSeconds));
  for (let n = 1; n <= windows; n += 1) {
    const seen = await observeAsked(target, cell, access, bake.windowSeconds, signal);
    signal.throwIfAborted();
    const told = seen === undefined ? "nothing can be said" : describeObserved(seen);
    await session.say("watch", `${n} of ${windows}: ${told}`);
    const worse = regression(before, seen);
    if (worse !== undefined) throw new Error(worse);
  }
}

async function putBack(
  session: DeploySession,
  { target, cell }: DeployRequest,
  {
    touched,
    previous,
    reason,
    artefact,
  }: { touched: boolean; previous: ArtefactRef | undefined; reason: string; artefact: ArtefactRef },
): Promise<DeployEnd> {
  const { id } = session.record;
  if (!touched) {
    await session.say("end", `not deployed, and the cell was not touched: ${reason}`);
    await session.end("failed", { reason });
    return { id, cell, outcome: "failed", reason, serving: previous };
  }
  if (previous === undefined || previous.digest === artefact.digest) {
    const stuck = `${reason}; and no former version is known to go back to`;
    await session.say("end", stuck);
    await session.end("failed", { reason: stuck });
    return { id, cell, outcome: "failed", reason: stuck, serving: undefined };
  }
  await session.say("rollback", `${reason}: putting ${previous.digest.slice(0, 12)} back`);
  // What is begun here is ended, whoever wants to stop it: half-way is the worst place.
  const { signal } = new AbortController();
  try {
    await target.apply(cell, previous);
    await smoke(await target.canary(cell), previous.digest, target.settlesWithinSeconds, signal);
    await session.say("rollback", "the former version serves again");
    await target.settle(cell).catch(() => undefined);
  } catch (error) {
    const stuck = `${reason}; and the former version could not be put back: ${messageOf(error)}`;
    await session.say("end", stuck);
    await session.end("failed", { reason: stuck });
    return { id, cell, outcome: "failed", reason: stuck, serving: undefined };
  }
  await session.say("end", `rolled back: ${reason}`);
  await session.end("rolled-back", { reason });
  return { id, cell, outcome: "rolled-back", reason, serving: previous };
}

/** Where a rollback of the cell leads: away from what is in doubt, if a deploy's process died, else to what ran before, further back each time. */
export async function rollbackTo(book: DeployBook, cell: string): Promise<ArtefactRef> {
  const known = await book.cell(cell);
  const to = known.deployId === undefined ? known.previous : known.serving;
  if (to === undefined)
    throw new RefusedError(
      `nothing older is recorded that was good in cell ${cell}: deploy an earlier commit instead`,
    );
  return to;
}

function refOf({ digest, zipSha256, commit }: ArtefactRef): ArtefactRef {
  return { digest, zipSha256, commit };
}

function beginning(
  artefact: ArtefactRef,
  now: ArtefactRef | undefined,
  previous: ArtefactRef | undefined,
): string {
  const wanted = `artefact ${short(artefact)}`;
  if (now === undefined) return `${wanted}; what the cell runs now is not known`;
  if (now.digest !== artefact.digest) return `${wanted}, in place of ${short(now)}`;
  const trial = previous !== undefined && previous.digest !== artefact.digest;
  return trial
    ? `${wanted}, which the cell runs already, on trial`
    : `${wanted}, which the cell runs already`;
}

const short = ({ digest, commit }: ArtefactRef) => `${digest.slice(0, 12)} of commit ${commit.slice(0, 12)}`;
