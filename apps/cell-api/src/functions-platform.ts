import http from "node:http";
import { drainMs, type EquipOptions, equip, serverOptions } from "./http/equip.ts";
import type { Fetch } from "./http/listener.ts";

/**
 * Serve `fetch` with the server that the functions platform is about to make: the next one of this process.
 *
 * In front of a function the platform puts a reader of bodies that has no setting to keep it out. It inflates what is
 * compressed up to 1 GiB, parses it before anybody has asked who sent it, and prints what it cannot parse. So its server becomes
 * a cell's own, with the heads, bodies, times and answers of the plain server, and nothing of the platform's sees a request:
 * docs/adr/2026-12-01-the-platforms-server-is-the-cells.md.
 */
export function takeServer(fetch: Fetch, options: EquipOptions): void {
  const { createServer } = http;
  const make = () => {
    Object.assign(http, { createServer });
    const server = createServer(serverOptions(options));
    const edge = equip(server, fetch, options);
    server.once("listening", () => {
      // The platform adds its own listeners in this same event, after us.
      setImmediate(() => stopBy(() => edge.drain(0, drainMs)));
    });
    return server;
  };
  Object.assign(http, { createServer: make });
}

/** In place of the platform's way to stop, which ends the process at once, whatever is under way. */
function stopBy(drain: () => Promise<number>): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.removeAllListeners(signal);
    process.once(signal, () => {
      drain().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
}
