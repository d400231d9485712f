import type { IncomingMessage, ServerResponse } from "node:http";

/** How much of a body is read away after its answer was given, and for how long. */
export interface UnreadLimits {
  bytes: number;
  ms: number;
}

/** A client that sends on for a minute before it looks can still read its answer. */
export const defaultUnreadLimits: UnreadLimits = { bytes: 32 * 1024 * 1024, ms: 75_000 };

const lookEveryMs = 250;

/**
 * To be called just before an answer is written: where its request's body has not all arrived, the rest will be read away.
 * Closed at once, the connection would be reset under the client's hands, and the answer with it.
 */
export function readAwayUnread(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { bytes, ms }: UnreadLimits = defaultUnreadLimits,
): void {
  if (incoming.complete || incoming.destroyed) return;
  const { socket } = incoming;
  // Where the connection ends with this answer, Node would close it now: it ends when the body has been read.
  const last = !outgoing.shouldKeepAlive || outgoing.hasHeader("connection");
  outgoing.removeHeader("connection");
  outgoing.shouldKeepAlive = true;
  outgoing.once("finish", () => {
    const endsAt = performance.now() + ms;
    const most = socket.bytesRead + bytes;
    const looking = setInterval(() => {
      if (socket.bytesRead > most || performance.now() > endsAt) socket.destroySoon();
    }, lookEveryMs);
    incoming.once("close", () => {
      clearInterval(looking);
      if (last) socket.destroySoon();
    });
    // Who was reading it has stopped: left there, it would pause the connection.
    incoming.removeAllListeners("data");
    incoming.resume();
  });
}
