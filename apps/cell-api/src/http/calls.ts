import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { ProblemCode } from "@proveniq/contracts";

/** One request under way, and what is known of it outside the app. */
export interface Call {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** Under which the app logs it. */
  ids?: { requestId: string; traceId: string };
  /** Why the server itself ended it, where the app's answer came too late. */
  endedAs?: { status: number; code: ProblemCode };
}

const calls = new WeakMap<IncomingMessage, Call>();
const underWay = new WeakMap<Duplex, Set<Call>>();
const latest = new WeakMap<Duplex, IncomingMessage>();

/** From here to the end of its answer a request counts as under way on its connection. */
export function beginCall(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const call: Call = { incoming, outgoing };
  const { socket } = incoming;
  const ofSocket = underWay.get(socket) ?? new Set();
  underWay.set(socket, ofSocket.add(call));
  calls.set(incoming, call);
  latest.set(socket, incoming);
  outgoing.once("close", () => ofSocket.delete(call));
}

/** The call that a request is; undefined for one that came by no server of ours. */
export const callOf = (incoming: IncomingMessage | undefined): Call | undefined =>
  incoming === undefined ? undefined : calls.get(incoming);

/** What is under way on a connection: more than one when its client did not wait for answers. */
export const callsOn = (socket: Duplex): readonly Call[] => [...(underWay.get(socket) ?? [])];

/** Whether the body of the latest request on a connection is still to come, answered or not. */
export const isBodyDue = (socket: Duplex): boolean => latest.get(socket)?.complete === false;

/** No status of HTTP: nobody was there to be answered. */
const clientGone = 499;

/** Whether the request of these two has ended before the app answered it, and as what. */
export function endOf(
  incoming: IncomingMessage | undefined,
  outgoing: ServerResponse | undefined,
): { status: number; code?: ProblemCode; reason?: string } | undefined {
  const ended = callOf(incoming)?.endedAs;
  if (ended !== undefined) return ended;
  // The socket has closed under the request: there is nobody to answer.
  return outgoing?.destroyed === true && !outgoing.writableEnded
    ? { status: clientGone, reason: "client gone" }
    : undefined;
}
