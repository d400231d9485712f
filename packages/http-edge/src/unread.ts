import type { IncomingMessage, ServerResponse } from "node:http";

/** How much of a body is read away after its answer was given, and for how long. */
export interface UnreadLimits {
  bytes: number;
  ms: number;
}

/** A client that sends on for a minute before it looks can still read its answer. */
export const defaultUnreadLimits: UnreadLimits = { bytes: 32 * 1024 * 1024, ms: 75_000 };

const lookEveryMs = 250;
const beingRead = new WeakSet<IncomingMessage>();

/**
 * Nobody needs what is still to come of this request's body: read it away, so that its client can read the answer meanwhile, and
 * end the connection where it is more, or takes longer, than it may. To be called when the answer has been given to Node; again
 * it does nothing.
 */
export function readAway(req: IncomingMessage, { bytes, ms }: UnreadLimits): void {
  if (req.complete || req.destroyed || beingRead.has(req)) return;
  beingRead.add(req);
  const { socket } = req;
  const endsAt = performance.now() + ms;
  const most = socket.bytesRead + bytes;
  // Counted at the socket: of a body that nobody had begun to read Node gives nothing after the answer.
  const looking = setInterval(
    () => {
      if (socket.bytesRead > most || performance.now() > endsAt) socket.destroy();
    },
    Math.min(lookEveryMs, ms),
  );
  looking.unref();
  req.once("close", () => clearInterval(looking));
  // Who was reading it has stopped: left there, it would pause the connection.
  req.removeAllListeners("data");
  req.resume();
}

/**
 * To be called just before an answer is written: when it has been, the rest of its request's body will be read away. A connection
 * that ends with this answer ends after that: closed at once, it would be reset under the client's hands, and the answer with it.
 */
export function readAwayAfter(req: IncomingMessage, res: ServerResponse, limits: UnreadLimits): void {
  if (req.complete || req.destroyed) return;
  const last = !res.shouldKeepAlive || res.hasHeader("connection");
  // Or Node would close it together with the answer.
  res.removeHeader("connection");
  res.shouldKeepAlive = true;
  res.once("finish", () => {
    if (last) req.once("close", () => req.socket.destroySoon());
    readAway(req, limits);
  });
}
