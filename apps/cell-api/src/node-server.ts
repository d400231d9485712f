import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { equip, requestMs, serverOptions } from "./http/equip.ts";
import type { Fetch, OnRefused } from "./http/listener.ts";
import type { UnreadLimits } from "./http/unread.ts";

/** How long a drain waits for requests under way, in milliseconds. */
const drainMs = 10_000;

export interface RunningServer {
  port: number;
  /** Take no more connections, finish what is under way (10 s at most), then resolve. */
  drain(): Promise<void>;
}

export interface ServeOptions {
  host: string;
  /** 0 takes any free one. */
  port: number;
  /** How long a request, body included, may take to arrive; 30 s unless told otherwise. */
  requestTimeoutMs?: number;
  /** Told of each request that was refused before `fetch` saw it. */
  onRefused?: OnRefused;
  /** How much is read of a body that was answered before it had arrived. */
  unread?: UnreadLimits;
}

/** Serve `fetch` on plain Node HTTP. Rejects when the port cannot be had. */
export async function serve(fetch: Fetch, options: ServeOptions): Promise<RunningServer> {
  const { requestTimeoutMs = requestMs.api, onRefused, unread } = options;
  const server = createServer(serverOptions({ requestTimeoutMs }));
  const sockets = new Set<Socket>();
  let draining = false;
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const closeWhenDraining = (_: IncomingMessage, outgoing: ServerResponse) => {
    if (draining) outgoing.setHeader("connection", "close");
    outgoing.once("close", () => {
      // An answer begun before the drain has left its connection open for a next request.
      if (draining) setImmediate(() => server.closeIdleConnections());
    });
  };
  server.on("request", closeWhenDraining);
  server.on("checkContinue", closeWhenDraining);
  equip(server, fetch, { requestTimeoutMs, onRefused, unread });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    drain: () => {
      draining = true;
      return close(server, sockets);
    },
  };
}

function listen(server: Server, { host, port }: ServeOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      // Those as well that Node has handed over, and knows no more.
      for (const socket of sockets) socket.destroy();
    }, drainMs);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
  });
}
