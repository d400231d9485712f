import type { IncomingMessage } from "node:http";
import type { Sockets } from "@proveniq/http-edge";
import type { Directory } from "@proveniq/tenant-context/directory";
import type { RequestHead } from "../request-head.ts";
import type { RequestRecord } from "./log.ts";
import type { Proofs } from "./proofs.ts";
import type { BodyLimits } from "./request-body.ts";
import type { UpstreamPools } from "./upstream/pool.ts";
import type { UpstreamFailure } from "./upstream/types.ts";

/** What all exchanges share. */
export interface ExchangeContext {
  directory: Directory;
  pools: UpstreamPools;
  body: BodyLimits;
  sockets: Sockets;
  /** By which cells know the router; without it, only cells answer that ask for no proof. */
  proofs?: Proofs | undefined;
  /** How many of the traces that begin here are recorded (0 to 1); undefined: this process records none. */
  traceRatio?: number | undefined;
  /** True once the process is about to end: answers tell clients to connect anew. */
  draining: () => boolean;
  /** Called once for every request, after its answer was sent or its client has gone. Must not throw. */
  onDone: (record: RequestRecord) => void;
  /** Hears of what our own code threw while it worked on the request with that id. */
  onFault: (error: unknown, requestId: string) => void;
}

export const clientIdle: UpstreamFailure = {
  kind: "client-idle",
  message: "the body stopped arriving",
  stale: false,
};

/** What of a head the decision is made by. */
export function routable(head: RequestHead) {
  const { host, target, tenantHeader, authorization } = head;
  return { host, path: target, tenantHeader, authorization };
}

/** RFC 9110, 9.2.1: whoever asks again changes nothing. */
export function isSafe(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

/** A header that came once. */
export function headerOf(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return typeof value === "string" ? value : undefined;
}

/** What a client is told whose body has more than `maxBytes`. */
export function tooLarge(maxBytes: number): string {
  return `A body may have ${maxBytes / 1_048_576} MiB at most. Send it in parts: see imports.`;
}
