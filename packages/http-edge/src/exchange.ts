import type { ClientError } from "./parser-errors.ts";

/** One request and its answer, as an edge deals with it. */
export interface EdgeExchange {
  /** All of the request has arrived. */
  readonly received: boolean;
  /** It is its turn: whatever its connection's client asked before has been answered. Must not throw. */
  begin(): void;
  /** The client has gone in the middle of it, or what came of it is no HTTP. May come before `begin`. */
  breakOff(error: ClientError): void;
  /** The client has taken nothing of its answer for too long. */
  stopReading(): void;
  /** The answer could not be written, by a fault of our own. Must not throw. */
  onFault(error: unknown): void;
  /** The answer has been written, or the client has gone. May be called again. */
  end(): void;
}
