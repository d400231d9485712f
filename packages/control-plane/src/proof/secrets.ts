import { randomBytes } from "node:crypto";
import type { ProofSecret, Residency } from "@proveniq/contracts";
import { RefusedError } from "../refused.ts";

/** A new secret by which the fleet proves itself to the cells of a residency. */
export function makeSecret(residency: Residency): ProofSecret {
  return { residency, id: randomBytes(3).toString("hex"), secret: randomBytes(32).toString("base64url") };
}

/**
 * A secret is replaced in three steps, and after each every router and cell has to have what is there before the next: `add` a
 * second that is believed, `switch` to signing with it, `retire` the one of before.
 */
export const rotationSteps = ["add", "switch", "retire"] as const;
export type RotationStep = (typeof rotationSteps)[number];

/** The secrets of a residency after a step. Throws RefusedError for a step that is not the next one. */
export function rotated(
  secrets: readonly ProofSecret[],
  residency: Residency,
  step: RotationStep,
): readonly ProofSecret[] {
  const [first, second] = secrets.filter((each) => each.residency === residency);
  const others = secrets.filter((each) => each.residency !== residency);
  if (first === undefined) {
    if (step === "add") return [...others, makeSecret(residency)];
    throw new RefusedError(
      `there is no secret of the residency ${residency} yet: --step add makes the first`,
    );
  }
  if (step === "add") {
    if (second === undefined) return [...others, first, makeSecret(residency)];
    throw new RefusedError(
      `two secrets are there already (${first.id} signs): --step switch or --step retire`,
    );
  }
  if (second === undefined)
    throw new RefusedError(`only ${first.id} is there, and nothing would be left: begin with --step add`);
  return step === "switch" ? [...others, second, first] : [...others, first];
}
