import { readFile, rename, writeFile } from "node:fs/promises";
import { type Prover, proofSecrets, type Residency, writeSecrets } from "@proveniq/contracts";
import { makeSecret, nodeProver } from "@proveniq/control-plane/proof";
import type { FleetState } from "./state.ts";

/** A secret for each residency, new with each start, kept where only the fleet's owner can read it. Gives them as text. */
export async function makeLocalProof(file: string, residencies: Iterable<Residency>): Promise<string> {
  const text = writeSecrets([...new Set(residencies)].map(makeSecret));
  await writeFile(`${file}.tmp`, text, { mode: 0o600 });
  await rename(`${file}.tmp`, file);
  return text;
}

/** By which tools on this machine ask the cells of the fleet that runs. */
export async function localProver(state: Pick<FleetState, "identity">): Promise<Prover> {
  const text = await readFile(state.identity.proofFile, "utf8");
  return nodeProver(proofSecrets.parse(text));
}
