import type { DocumentSnapshot } from "@google-cloud/firestore";
import { claim, headers, ProblemError } from "@proveniq/contracts";
import type { TenantBinding } from "./types.ts";

/** Seconds after which a paused tenant is worth another try: a move pauses writes for about as long. */
const pauseSeconds = 1;

/**
 * Passes when the claim, as read in the writing transaction, lets this binding write. Otherwise throws
 * `misdirected-request` (with the successor, if known), `tenant-paused` or `tenant-suspended`.
 */
export function admit(snapshot: DocumentSnapshot, binding: TenantBinding): void {
  if (!snapshot.exists) throw misdirected();
  const held = claim.parse(snapshot.data());
  if (held.state === "moved") {
    const { successor } = held;
    throw misdirected(
      successor === undefined ? {} : { [headers.successor]: `${successor.cellId};${successor.epoch}` },
    );
  }
  // The binding is older, or newer, than the claim: whoever made it must look again.
  if (held.epoch !== binding.epoch) throw misdirected();
  switch (held.state) {
    case "active":
      return;
    case "suspended":
      throw new ProblemError("tenant-suspended", "Ask your contact at Proveniq why, and to lift it.");
    case "fenced":
      // By the database's clock, which no instance of ours can be ahead of.
      if (held.fence !== undefined && Date.parse(held.fence.deadline) <= snapshot.readTime.toMillis()) return;
      throw paused();
    case "moving":
      // What changes during a move must be recorded for the mover; a version that cannot do so must not write.
      throw paused();
  }
}

function misdirected(successor: Record<string, string> = {}): ProblemError {
  return new ProblemError("misdirected-request", "The tenant is not held here.", { headers: successor });
}

function paused(): ProblemError {
  return new ProblemError("tenant-paused", "The tenant is being moved. Repeat the request.", {
    headers: { "retry-after": String(pauseSeconds) },
  });
}
