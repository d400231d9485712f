import type { Server } from "node:http";
import { Server as NetServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sockets } from "./sockets.ts";

export interface DrainTimes {
  /** For so long go on as before: whoever sends requests here has not heard of the end yet. */
  graceMs: number;
  /** What is left after so long is cut. */
  deadlineMs: number;
}

/** So long those have that connected just before, and have sent nothing yet. */
const silentMs = 1_000;

/**
 * End a server: after the grace time accept nothing more, close idle connections, wait for what is under way, and cut what is
 * left at the deadline. Resolves with the number of connections that were cut. Before it is called, answers must have begun to
 * say `Connection: close`.
 */
export async function drainServer(
  server: Server,
  sockets: Sockets,
  { graceMs, deadlineMs }: DrainTimes,
): Promise<number> {
  const startedAt = performance.now();
  await sleep(Math.min(graceMs, deadlineMs));
  await arrivalsRead();
  const closingAt = performance.now();
  const state = { closed: false };
  const closed = new Promise<void>((resolve) => {
    // Not http's own close: it would at once cut idle connections, on which a request may be arriving.
    NetServer.prototype.close.call(server, () => resolve());
  }).then(() => {
    state.closed = true;
  });
  while (!state.closed && performance.now() - startedAt < deadlineMs) {
    await arrivalsRead();
    server.closeIdleConnections();
    if (performance.now() - closingAt > silentMs) sockets.destroySilent();
    await Promise.race([closed, sleep(25)]);
  }
  const cut = state.closed ? 0 : sockets.destroyAll();
  // Node counts a few that it has accepted and not told of yet.
  server.closeAllConnections();
  await closed;
  return cut;
}

/** Everything that had arrived when this was called has been accepted and read, however late the loop is. */
async function arrivalsRead(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
