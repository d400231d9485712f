import { createHmac } from "node:crypto";
import { type ProofSecret, type Prover, proverOf } from "@proveniq/contracts";

/** What operators and the local fleet ask cells with. Without secrets it proves nothing, and only cells answer that ask for none. */
export const nodeProver = (secrets: readonly ProofSecret[]): Prover =>
  proverOf(secrets, (secret, text) => createHmac("sha256", secret).update(text).digest("base64url"));
