import { createHmac, timingSafeEqual } from "node:crypto";
import {
  headers,
  isCellsHost,
  ProblemError,
  type ProofSecret,
  proofText,
  proofWindowSeconds,
  readProof,
} from "@proveniq/contracts";
import type { MiddlewareHandler } from "hono";
import type { AppEnv } from "../deps.ts";
import type { Logger } from "../log.ts";

/** Who asks a cell by its own hosts must show that they are the fleet. */
export interface FleetProof {
  /** Of the cell's residency: one, or two while one is replaced; with none nobody is believed. */
  secrets: readonly ProofSecret[];
  /** The zone that all cells' own hosts are in. */
  zone: string;
}

/** What the router says on an unknown host: a stranger does not learn that there is a cell behind this one. */
const stranger = "Check the host name and the tenant id: this host does not serve that tenant.";

/**
 * Before anything else is looked at: a request under a cell's own host needs the fleet's proof. Under a client's host the load
 * balancer has sent it. `/health` says nothing, and platforms ask for it by an address.
 */
export function fleetOnly(proof: FleetProof | undefined, now: () => number): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("fleet", proof === undefined);
    if (proof === undefined || c.req.path === "/health") return next();
    // As it was sent. Without a server, in tests, a URL is all there is.
    const url = new URL(c.req.url);
    const host = c.env?.incoming?.headers.host ?? url.host;
    if (!isCellsHost(host, proof.zone)) return next();
    const target = c.env?.incoming?.url ?? url.pathname + url.search;
    const fault = faultOf(proof.secrets, c.req.header(headers.proof), host, target, now() / 1_000);
    if (fault === undefined) {
      c.set("fleet", true);
      return next();
    }
    c.set("reason", fault);
    throw new ProblemError("misdirected-request", stranger);
  };
}

/** A cell that knows no secret takes everybody for a stranger: say so once, at the start. */
export function tellStrangers({ proof }: { proof: FleetProof | undefined }, logger: Logger): void {
  if (proof?.secrets.length === 0)
    logger.error({}, "no PROOF_SECRETS of this residency: at its own hosts the cell answers nobody");
}

/** Why a proof does not hold, for the log; undefined when it does. */
function faultOf(
  secrets: readonly ProofSecret[],
  header: string | undefined,
  host: string,
  target: string,
  nowSeconds: number,
): string | undefined {
  if (header === undefined) return "no proof";
  const proof = readProof(header);
  if (proof === undefined) return "malformed proof";
  if (Math.abs(nowSeconds - proof.time) > proofWindowSeconds) return "proof of another time";
  const known = secrets.find(({ id }) => id === proof.id);
  if (known === undefined) return "proof by an unknown secret";
  const mac = createHmac("sha256", known.secret)
    .update(proofText(proof.time, host, target))
    .digest();
  return timingSafeEqual(mac, Buffer.from(proof.mac, "base64url")) ? undefined : "wrong proof";
}
