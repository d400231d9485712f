import { headers, type ProofSecret, proofText, type Residency, writeProof } from "@proveniq/contracts";

/** Adds to a request's headers what proves it to the cell at `origin`; nothing where no secret of the residency is known. */
export type AddProof = (sent: Headers, residency: Residency, origin: string, path: string) => Promise<void>;

type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** The same proof as the Node router's, by the means that edge runtimes have. Of each residency the first secret signs. */
export function proofAdder(secrets: readonly ProofSecret[]): AddProof {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const encoder = new TextEncoder();
  const keys = new Map<string, Promise<Key>>();
  const keyOf = ({ id, secret }: ProofSecret) => {
    const known =
      keys.get(id) ?? crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
    keys.set(id, known);
    return known;
  };
  return async (sent, residency, origin, path) => {
    const secret = secrets.find((each) => each.residency === residency);
    if (secret === undefined) return;
    const time = Math.floor(Date.now() / 1_000);
    const text = encoder.encode(proofText(time, new URL(origin).host, path));
    const mac = new Uint8Array(await crypto.subtle.sign(algorithm.name, await keyOf(secret), text));
    const base64 = btoa(String.fromCharCode(...mac));
    const url = base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    sent.set(headers.proof, writeProof(secret.id, time, url));
  };
}
