import type { EdgeLimits, Shortage } from "@proveniq/http-edge";
import { SnapshotDirectory } from "@proveniq/tenant-context/directory";
import { z } from "zod";
import { caseDirectory } from "../../decide/cases.ts";
import { limitsEnvironment, limitsOf } from "../../limits.ts";
import type { RequestRecord } from "../log.ts";
import type { Proofs } from "../proofs.ts";
import type { BodyLimits } from "../request-body.ts";
import { createRouterServer, type RouterServer } from "../server.ts";
import { UpstreamPools } from "../upstream/pool.ts";
import type { UpstreamLimits } from "../upstream/types.ts";

export interface RunningRouter {
  port: number;
  directory: SnapshotDirectory;
  records: RequestRecord[];
  /** What the router's own code threw. */
  faults: unknown[];
  shortages: Shortage[];
  server: RouterServer;
  pools: UpstreamPools;
  /** Keeping the next record throws. */
  failNextRecord(): void;
  stop(): Promise<void>;
}

export interface RouterOptions {
  upstream?: Partial<UpstreamLimits>;
  server?: Partial<EdgeLimits>;
  body?: Partial<BodyLimits>;
  proofs?: Proofs;
  /** Called when the directory should be read again at once. */
  readAgain?: () => void;
}

/** The router in this process, over the directory of the cases, with the origins of some cells replaced. */
export async function startRouter(
  origins: Record<string, string>,
  options: RouterOptions = {},
): Promise<RunningRouter> {
  const directory = new SnapshotDirectory(
    () => undefined,
    options.readAgain === undefined ? {} : { readAgain: options.readAgain },
  );
  const { topology } = caseDirectory;
  const cells = Object.fromEntries(
    Object.entries(topology.cells).map(([id, cell]) => {
      const origin = origins[id];
      return [id, origin === undefined ? cell : { ...cell, api: origin, bulk: origin }];
    }),
  );
  directory.offerDocument({ ...caseDirectory, topology: { ...topology, cells } }, "test");
  const records: RequestRecord[] = [];
  const faults: unknown[] = [];
  const shortages: Shortage[] = [];
  let failing = false;
  const pools = new UpstreamPools(options.upstream, (error) => faults.push(error));
  const server = createRouterServer(
    {
      directory,
      pools,
      body: { ...limitsOf(z.object(limitsEnvironment).parse({})).body, ...options.body },
      proofs: options.proofs,
      onFault: (error) => faults.push(error),
      onShortage: (shortage) => shortages.push(shortage),
      onDone: (record) => {
        records.push(record);
        if (failing) {
          failing = false;
          throw new Error("the record cannot be kept");
        }
      },
    },
    options.server,
  );
  const port = await server.listen(0, "127.0.0.1");
  return {
    port,
    directory,
    records,
    faults,
    shortages,
    server,
    pools,
    failNextRecord: () => {
      failing = true;
    },
    stop: async () => {
      await server.drain(0, 0);
      pools.close();
    },
  };
}
