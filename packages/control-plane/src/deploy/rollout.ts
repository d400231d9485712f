import { randomUUID } from "node:crypto";
import { messageOf, type RolloutRecord } from "@proveniq/contracts";
import type { DeployBook, Origin } from "@proveniq/db/control";
import { LeaseLost } from "@proveniq/db/lease";
import type { Packed } from "../artefact/index.ts";
import type { Manifests } from "../fleet/load.ts";
import { RefusedError } from "../refused.ts";
import { type DeployEnd, deployCell } from "./deploy-cell.ts";
import { newLease, onceFree, prolonged } from "./session.ts";
import type { Bake, DeployEvent, DeployTarget } from "./types.ts";

export interface RolloutRequest {
  target: DeployTarget;
  book: DeployBook;
  manifests: Manifests;
  artefact: Packed;
  bake: Bake;
  origin: Origin;
  /** Play a tenant's day in a cell made for that alone, before any cell is touched. Undefined: leave that out. */
  canary: ((artefact: Packed, signal: AbortSignal) => Promise<void>) | undefined;
  /** Forget a rollout of another artefact that did not end. */
  abandon: boolean;
  report: (event: DeployEvent) => void;
  signal: AbortSignal;
}

/** The order of a rollout: by wave, and within a wave by id. */
export function order(manifests: Manifests): RolloutRecord["cells"] {
  return Object.entries(manifests)
    .map(([cellId, { wave }]) => ({ cellId, wave, state: "waiting" as const }))
    .sort((a, b) => a.wave - b.wave || (a.cellId < b.cellId ? -1 : 1));
}

const beatMs = 3_000;

/**
 * Bring an artefact to every cell, one cell at a time, wave by wave: a synthetic cell first, and no further cell once one was
 * rolled back. A rollout of the same artefact that did not end is taken up where it was. Throws `LeaseHeld` while another
 * process is at it, and `RefusedError` when one of another artefact has not ended.
 */
export async function rollOut(request: RolloutRequest): Promise<RolloutRecord> {
  const { book, artefact, origin, target } = request;
  const now = new Date();
  const { digest, zipSha256, commit } = artefact;
  const lease = newLease(origin);
  const open = await unfinished(request);
  const wanted: RolloutRecord = open ?? {
    id: randomUUID(),
    target: target.name,
    artefact: { digest, zipSha256, commit },
    ...origin,
    startedAt: now.toISOString(),
    outcome: "running",
    canary: request.canary === undefined ? "left-out" : "waiting",
    cells: order(request.manifests),
  };
  const record = await onceFree(
    (dead) => book.openRollout({ ...wanted, lease: prolonged(lease) }, dead),
    (text) => request.report({ at: new Date().toISOString(), cell: "fleet", step: "begin", text }),
  );
  const keeper = new Keeper(book, record);
  try {
    return await advance(request, keeper, open !== undefined);
  } finally {
    await keeper.leave();
  }
}

async function unfinished({
  book,
  artefact,
  abandon,
  report,
}: RolloutRequest): Promise<RolloutRecord | undefined> {
  const latest = await book.latestRollout();
  if (latest?.outcome !== "running") return undefined;
  if (latest.artefact.digest === artefact.digest) return latest;
  if (!abandon)
    throw new RefusedError(
      `a rollout of ${latest.artefact.digest.slice(0, 12)} by ${latest.who} has not ended (${tell(latest)}): end it by deploying that artefact, or leave it with --abandon`,
    );
  const lease = newLease({ who: latest.who, from: latest.from });
  const taken = await onceFree(
    (dead) => book.openRollout({ ...latest, lease: prolonged(lease) }, dead),
    (text) => report({ at: new Date().toISOString(), cell: "fleet", step: "begin", text }),
  );
  const endedAt = new Date().toISOString();
  await book.saveRollout({ ...taken, outcome: "stopped", reason: "abandoned", endedAt }, lease);
  return undefined;
}

async function advance(request: RolloutRequest, keeper: Keeper, resumed: boolean): Promise<RolloutRecord> {
  const { report } = request;
  const say = (cell: string, text: string) =>
    report({ at: new Date().toISOString(), cell, step: "begin", text });
  if (resumed)
    say("fleet", `going on with the rollout of ${keeper.record.startedAt}: ${tell(keeper.record)}`);
  if (keeper.record.canary === "waiting" && request.canary !== undefined) {
    say("canary", "a temporary cell with a synthetic tenant");
    try {
      await request.canary(request.artefact, AbortSignal.any([request.signal, keeper.lost]));
    } catch (error) {
      await keeper.save({ canary: "failed" });
      return keeper.stop(`the synthetic canary: ${messageOf(error)}`);
    }
    await keeper.save({ canary: "passed" });
    say("canary", "passed");
  }
  for (const { cellId, state } of keeper.record.cells) {
    if (state === "done") continue;
    if (request.signal.aborted) return keeper.stop("it was interrupted");
    await keeper.cell(cellId, { state: "deploying" });
    const end = await deployCell({ ...request, cell: cellId, rolloutId: keeper.record.id });
    await keeper.cell(cellId, { state: stateOf(end), deployId: end.id });
    if (end.outcome !== "done")
      return keeper.stop(
        `cell ${cellId} ${end.outcome === "failed" ? "failed" : "was rolled back"}: ${end.reason ?? ""}`,
      );
  }
  await keeper.save({ outcome: "done", endedAt: new Date().toISOString() });
  return keeper.record;
}

const stateOf = ({ outcome }: DeployEnd) => outcome;

/** Where a rollout is, in a few words. */
export function tell({ cells }: Pick<RolloutRecord, "cells">): string {
  return cells.map(({ cellId, state }) => `${cellId} ${state}`).join(", ");
}

/** Holds a rollout's lease and keeps how far it is. */
class Keeper {
  record: RolloutRecord;
  readonly lost: AbortSignal;
  readonly #book: DeployBook;
  readonly #beat: NodeJS.Timeout;
  #writing: Promise<void> = Promise.resolve();

  constructor(book: DeployBook, record: RolloutRecord) {
    this.#book = book;
    this.record = record;
    const lost = new AbortController();
    this.lost = lost.signal;
    this.#beat = setInterval(() => {
      this.save({}).catch((error: unknown) => {
        if (error instanceof LeaseLost) lost.abort(error);
      });
    }, beatMs);
    this.#beat.unref();
  }

  save(change: Partial<RolloutRecord>): Promise<void> {
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(async () => {
        const { lease } = this.record;
        if (lease === undefined) throw new LeaseLost("the fleet's rollout");
        const next = { ...this.record, ...change, lease: prolonged(lease) };
        await this.#book.saveRollout(next, next.lease);
        this.record = next;
      });
    return this.#writing;
  }

  async cell(cellId: string, change: Partial<RolloutRecord["cells"][number]>): Promise<void> {
    const cells = this.record.cells.map((c) => (c.cellId === cellId ? { ...c, ...change } : c));
    await this.save({ cells });
  }

  async stop(reason: string): Promise<RolloutRecord> {
    await this.save({
      outcome: "stopped",
      reason: reason.slice(0, 2_000),
      endedAt: new Date().toISOString(),
    });
    return this.record;
  }

  async leave(): Promise<void> {
    clearInterval(this.#beat);
    await this.#writing.catch(() => undefined);
  }
}
