import { keepAsking, smoke } from "./canary.ts";
import { regression } from "./gate.ts";
import type { CanaryAccess, DeployTarget, Observed } from "./types.ts";

/** Watch a cell for so long while its canary tenant asks something of it all the time. Rejects when the canary cannot be answered. */
export async function observeAsked(
  target: Pick<DeployTarget, "observe">,
  cell: string,
  access: CanaryAccess,
  seconds: number,
  signal: AbortSignal,
): Promise<Observed | undefined> {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const failing = keepAsking(access, until).then(() => new Promise<never>(() => undefined));
  failing.catch(() => undefined);
  try {
    return await Promise.race([target.observe(cell, seconds, until), failing]);
  } finally {
    over.abort();
  }
}

/** Try an artefact in a cell that exists for that alone. Throws why it must not go further. */
export async function trial(
  target: DeployTarget,
  cell: string,
  digest: string,
  seconds: number,
  signal: AbortSignal,
): Promise<void> {
  const access = await target.canary(cell);
  await smoke(access, digest, target.settlesWithinSeconds, signal);
  const worse = regression(undefined, await observeAsked(target, cell, access, seconds, signal));
  if (worse !== undefined) throw new Error(worse);
}
