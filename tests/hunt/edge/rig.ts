import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DirectorySnapshot } from "@proveniq/contracts";
import { bundleServer } from "../../../apps/router/build.ts";
import { Lane } from "./lane.ts";
import { RouterProcess } from "./router.ts";

/** Who was refused, or answered before all was sent, is soon cut off: whatever holds a socket for longer shows. */
const limits = { FLEET_ZONE: "proveniq.io", LINGER_SECONDS: "1", DISCARD_SECONDS: "3" };

const repository = fileURLToPath(new URL("../../..", import.meta.url));

/** A built router between the lanes' clients and cells; started anew when it has died. */
export class Rig {
  readonly lanes: readonly Lane[];
  readonly #folder: string;
  readonly #env: Record<string, string>;
  router: RouterProcess;

  private constructor(
    lanes: readonly Lane[],
    folder: string,
    env: Record<string, string>,
    router: RouterProcess,
  ) {
    this.lanes = lanes;
    this.#folder = folder;
    this.#env = env;
    this.router = router;
  }

  /** `root`: the repository whose router is built; `env`: more of the router's environment. */
  static async start(laneCount: number, root = repository, env: Record<string, string> = {}): Promise<Rig> {
    const folder = await mkdtemp(join(tmpdir(), "hunt-edge-"));
    const lanes = Array.from({ length: laneCount }, (_, n) => new Lane(n));
    const ports = await Promise.all(lanes.map((lane) => lane.listen()));
    await writeFile(join(folder, "server.js"), await bundleServer(join(root, "apps/router")));
    await writeFile(join(folder, "package.json"), '{"type":"module"}\n');
    await writeFile(join(folder, "directory.json"), JSON.stringify(directoryOf(lanes, ports)));
    const all = { ...limits, ...env, DIRECTORY_FILE: join(folder, "directory.json") };
    return new Rig(lanes, folder, all, await RouterProcess.start(join(folder, "server.js"), all));
  }

  /** A new router, which knows nothing of what was. */
  async restart(): Promise<void> {
    await this.router.stop();
    for (const lane of this.lanes) lane.forget();
    this.router = await RouterProcess.start(join(this.#folder, "server.js"), this.#env);
  }

  async stop(): Promise<void> {
    await this.router.stop();
    for (const lane of this.lanes) lane.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function directoryOf(
  lanes: readonly Lane[],
  ports: readonly (readonly [number, number])[],
): DirectorySnapshot {
  const cells: DirectorySnapshot["topology"]["cells"] = {};
  const tenants: DirectorySnapshot["tenants"] = {};
  for (const [n, { names }] of lanes.entries()) {
    for (const [m, { cell, tenant }] of [names.a, names.b].entries()) {
      const origin = `http://127.0.0.1:${ports[n]?.[m]}`;
      cells[cell] = { residency: "global", api: origin, bulk: origin };
      tenants[tenant] = [cell, 1];
    }
    tenants[names.mover] = [names.a.cell, 1];
  }
  return {
    version: 1,
    publishedAt: "2026-01-01T00:00:00Z",
    topology: {
      hosts: { "api.proveniq.io": { kind: "global" } },
      defaults: { global: { cell: "lane000a", tenant: "consumers" } },
      cells,
    },
    tenants,
    tenantHosts: {},
  };
}
