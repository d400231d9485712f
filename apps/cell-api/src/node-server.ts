import { createServer } from "node:http";
import { listen } from "@proveniq/http-edge";
import { cellEdge } from "./edge-limits.ts";
import { drainMs, type EquipOptions, equip, serverOptions } from "./http/equip.ts";
import type { Fetch } from "./http/listener.ts";

export interface RunningServer {
  port: number;
  /** Take no more connections, finish what is under way (10 s at most), then resolve. */
  drain(): Promise<void>;
}

export interface ServeOptions extends Partial<EquipOptions> {
  host: string;
  /** 0 takes any free one. */
  port: number;
}

/** Serve `fetch` on plain Node HTTP, with the API's limits unless told otherwise. Rejects when the port cannot be had. */
export async function serve(fetch: Fetch, { host, port, ...more }: ServeOptions): Promise<RunningServer> {
  const options = { edge: cellEdge().api, ...more };
  const server = createServer(serverOptions(options));
  const edge = equip(server, fetch, options);
  return {
    port: await listen(server, port, host),
    drain: async () => {
      await edge.drain(0, drainMs);
    },
  };
}
